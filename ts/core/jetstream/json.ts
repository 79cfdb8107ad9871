// JSON as nats-server writes it, compact, for documents that are built as plain values; durations are bigints. The writer is lib's.

import { jsonText, type JsonInput } from '../../lib/json-text.ts';

/** A document behind members that are text already: `"type":"a"`. */
export function encodeBehind(members: string, document: object): string {
  const rest = encodeJson(document);
  return rest === '{}' ? `{${members}}` : `{${members},${rest.slice(1)}`;
}

/** `value` is made of plain objects, arrays, strings, numbers, bigints and booleans; nothing at all is `null`. */
export function encodeJson(value: unknown): string {
  return value === undefined ? 'null' : jsonText(value as JsonInput);
}
