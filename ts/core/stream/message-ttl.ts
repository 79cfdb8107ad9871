// `Nats-TTL`: how long one message lives, and the marker that a stream with `subject_delete_marker_ttl` stores when the last message of
// a subject ends by its age.

import { parseDuration } from '../jetstream/instant.ts';

/** A message that outlives `max_age`. */
export const forever = -1;
const second = 1_000_000_000n;

/** Seconds a message lives, `forever`, 0 for no limit of its own; undefined: the text says nothing of the kind. */
export function parseTtl(text: string): number | undefined {
  if (text === '') return 0;
  if (text.toLowerCase() === 'never') return forever;
  const nanos = parseDuration(text);
  if (nanos !== undefined) return nanos < second ? undefined : Number(nanos / second);
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The TTL of a stored message, as far as it can be read. */
export function ttlOf(headers: ReadonlyMap<string, string>): number {
  return parseTtl(headers.get('Nats-TTL') ?? '') ?? 0;
}

/** Whether a message stands for deleted ones already: no marker follows it. */
export function isMarker(headers: ReadonlyMap<string, string>): boolean {
  return (headers.get('Nats-Marker-Reason') ?? '') !== '' || headers.get('KV-Operation') === 'PURGE';
}
