// What a get of a message asks for, shared by STREAM.MSG.GET and direct gets: the request's document, its contradictions, the look-up.

import type { Instant } from '../../core/jetstream/instant.ts';
import type { Schema } from '../../core/jetstream/schema.ts';
import type { StoredMessage } from '../store/store.ts';
import type { Stream } from './stream.ts';

const uint64 = { kind: { is: 'integer', type: 'uint64' } } as const;
const int = { kind: { is: 'integer', type: 'int' } } as const;
const text = { kind: { is: 'string' } } as const;
const flag = { kind: { is: 'bool' } } as const;
const time = { kind: { is: 'time' } } as const;
const texts = { kind: { is: 'list', of: { is: 'string' }, goType: '[]string' } } as const;
export const messageGetSchema: Schema = {
  name: 'JSApiMsgGetRequest',
  fields: {
    seq: uint64,
    last_by_subj: text,
    next_by_subj: text,
    batch: int,
    max_bytes: int,
    start_time: time,
    multi_last: texts,
    up_to_seq: uint64,
    up_to_time: time,
    no_hdr: flag,
  },
};
export interface MessageGet {
  readonly seq: number;
  readonly last_by_subj: string;
  readonly next_by_subj: string;
  readonly batch: number;
  readonly max_bytes: number;
  readonly start_time: Instant | undefined;
  readonly multi_last: readonly string[];
  readonly up_to_seq: number;
  readonly up_to_time: Instant | undefined;
  readonly no_hdr: boolean;
}

/** Whether the parts of a get contradict each other or say nothing. */
export function isUnclear({ seq, last_by_subj, next_by_subj, start_time }: MessageGet): boolean {
  if (seq === 0 && last_by_subj === '' && next_by_subj === '' && start_time === undefined) return true;
  if (seq > 0 && (last_by_subj !== '' || start_time !== undefined)) return true;
  return last_by_subj !== '' && (next_by_subj !== '' || start_time !== undefined);
}

/** The message asked for. */
export function findMessage({ store }: Stream, asked: MessageGet): StoredMessage | undefined {
  if (asked.last_by_subj !== '') return store.lastBySubject(asked.last_by_subj);
  const from = asked.start_time === undefined ? asked.seq : store.seqAtTime(asked.start_time);
  if (asked.next_by_subj !== '') return store.nextBySubject(asked.next_by_subj, Math.max(1, from));
  return asked.start_time === undefined ? store.get(from) : store.nextBySubject('>', Math.max(1, from));
}
