// The reply subject of a delivered message, with the consumer's numbers:
//
//   <ack prefix><deliveries>.<stream seq>.<consumer seq>.<ns>.<pending>
//
// In a batch most messages follow the one before: both sequences are one more, one less is pending, and they were stored in the
// same second. Then the text of the last reply is counted on in place; a number that gets another length is printed anew.

import { copy, printDigits, printNumber } from '../lib/bytes';
import { DeliverCall } from './deliver-call';

/** Where the reply is laid. */
export const REPLY: usize = memory.data(2048, 16);

const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;
const NINE: u8 = 0x39;
const BILLION: i64 = 1000000000;

/** What the reply at REPLY says, `length` 0: it is not of this delivery. */
let length: u32 = 0;
let saidSequence: u64 = 0;
let saidConsumer: u64 = 0;
let saidPending: u64 = 0;
/** In nanoseconds, without the part of the second. */
let saidSecond: i64 = 0;
/** Where its numbers end. */
let sequenceEnd: usize = 0;
let consumerEnd: usize = 0;
let timeEnd: usize = 0;

/** Another delivery begins. */
export function forgetReply(): void {
  length = 0;
}

/** Adds one to the number that ends at `end`, behind a dot. False: it has one digit more now, and its text is spoilt. */
// @ts-ignore: decorator
@inline
function countUp(end: usize): bool {
  let at = end - 1;
  while (load<u8>(at) == NINE) store<u8>(at--, ZERO);
  const digit = load<u8>(at);
  if (digit == DOT) return false;
  store<u8>(at, digit + 1);
  return true;
}

/** Takes one from a number above 0 that ends at `end`, behind a dot. False: it has a digit less now, and its text is spoilt. */
// @ts-ignore: decorator
@inline
function countDown(end: usize): bool {
  let at = end - 1;
  while (load<u8>(at) == ZERO) store<u8>(at--, NINE);
  const digit = load<u8>(at) - 1;
  store<u8>(at, digit);
  return digit != ZERO || at == end - 1 || load<u8>(at - 1) != DOT;
}

/** Makes the reply that of the message behind the last one. False: it is to be laid anew. */
function follows(sequence: u64, consumer: u64, time: i64, pending: u64): bool {
  if (!length || sequence != saidSequence + 1 || consumer != saidConsumer + 1 || pending + 1 != saidPending) return false;
  const ofSecond = time - saidSecond;
  if (ofSecond < 0 || ofSecond >= BILLION) return false;
  if (!countUp(sequenceEnd) || !countUp(consumerEnd) || !countDown(REPLY + length)) return false;
  printDigits(timeEnd, <u32>ofSecond, 9);
  return true;
}

function layAnew(call: DeliverCall, sequence: u64, consumer: u64, time: i64, pending: u64): void {
  copy(REPLY, call.prefix, call.prefixLength);
  const deliveriesEnd = printNumber(REPLY + call.prefixLength, <u64>call.deliveries);
  store<u8>(deliveriesEnd, DOT);
  sequenceEnd = printNumber(deliveriesEnd + 1, sequence);
  store<u8>(sequenceEnd, DOT);
  consumerEnd = printNumber(sequenceEnd + 1, consumer);
  store<u8>(consumerEnd, DOT);
  timeEnd = printNumber(consumerEnd + 1, <u64>time);
  store<u8>(timeEnd, DOT);
  length = <u32>(printNumber(timeEnd + 1, pending) - REPLY);
  // A time of fewer than ten digits has no second to keep.
  saidSecond = time < BILLION ? i64.MIN_VALUE : time - (time % BILLION);
}

/** Writes the reply subject at REPLY; returns its length, 0: the delivery has none. */
export function layReply(call: DeliverCall, sequence: u64, time: i64): u32 {
  if (!call.prefixLength) return 0;
  const consumer = <u64>call.consumerSeq;
  const pending = <u64>max(call.pending - 1, 0);
  if (!follows(sequence, consumer, time, pending)) layAnew(call, sequence, consumer, time, pending);
  saidSequence = sequence;
  saidConsumer = consumer;
  saidPending = pending;
  return length;
}
