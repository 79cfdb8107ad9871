// JSON as nats-server writes it, compact, for documents that are built as plain values; durations are bigints. The writer is lib's.

import { jsonText, type JsonInput } from '../../lib/json-text.ts';

/** The members of two documents as the text of one. */
export function encodeJoined(first: object, then: object): string {
  const [head, rest] = [encodeJson(first), encodeJson(then)];
  if (head === '{}' || rest === '{}') return head === '{}' ? rest : head;
  return `${head.slice(0, -1)},${rest.slice(1)}`;
}

/** `value` is made of plain objects, arrays, strings, numbers, bigints and booleans; nothing at all is `null`. */
export function encodeJson(value: unknown): string {
  return value === undefined ? 'null' : jsonText(value as JsonInput);
}
