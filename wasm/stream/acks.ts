// Acknowledgements waiting for the sync: reply subject and sequence of each publish, in a queue, in order of sequence. When the
// host reports a sequence as synced, everything up to it is framed as a PubAck and routed to its reply subject.
//
//   entry  u64 sequence | u32 length | reply subject

import { copy, copyOver, printNumber } from '../lib/bytes';
import { Queue, queueAdd, queueAt, queueFront, queueSkip } from '../lib/queue';
import { routeHost } from '../deliver/route';
import { Stream } from './stream';

const ENTRY_HEAD: u32 = 12;

const body: usize = memory.data(1024, 16);

// @ts-ignore: decorator
@inline
function waiting(stream: Stream): Queue {
  return queueAt(changetype<usize>(stream) + offsetof<Stream>('firstAcks'));
}

/** Remembers to acknowledge `sequence` to a reply subject. */
export function queueAck(stream: Stream, sequence: u64, reply: usize, length: u32): void {
  const entry = queueAdd(waiting(stream), ENTRY_HEAD + length);
  store<u64>(entry, sequence);
  store<u32>(entry, length, 8);
  copyOver(entry + ENTRY_HEAD, reply, length);
}

/** Sends the PubAcks of everything up to `sequence`, at most `most` of them; returns how many went. */
export function releaseAcks(stream: Stream, sequence: u64, most: u32): u32 {
  const prefix = stream.ackLength;
  copy(body, stream.ack, prefix);
  let count: u32 = 0;
  while (count < most) {
    const entry = queueFront(waiting(stream));
    if (!entry) break;
    const acked = load<u64>(entry);
    if (acked > sequence) break;
    const length = load<u32>(entry, 8);
    const end = printNumber(body + prefix, acked);
    store<u8>(end, 0x7d);
    routeHost(stream.account, entry + ENTRY_HEAD, length, 0, 0, 0, body, <u32>(end - body) + 1);
    queueSkip(waiting(stream), ENTRY_HEAD + length);
    count++;
  }
  return count;
}

/** Answers everything that waits with the same bytes (an error): nothing of it will be stored. */
export function rejectAcks(stream: Stream, answer: usize, answerLength: u32): void {
  for (;;) {
    const entry = queueFront(waiting(stream));
    if (!entry) return;
    const length = load<u32>(entry, 8);
    routeHost(stream.account, entry + ENTRY_HEAD, length, 0, 0, 0, answer, answerLength);
    queueSkip(waiting(stream), ENTRY_HEAD + length);
  }
}

/** Frees what waits. */
export function dropAcks(stream: Stream): void {
  for (;;) {
    const entry = queueFront(waiting(stream));
    if (!entry) return;
    queueSkip(waiting(stream), ENTRY_HEAD + load<u32>(entry, 8));
  }
}
