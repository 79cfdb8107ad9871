// A consumer's acknowledgement subscription took the current message: its numbers are read from the subject and reported to the
// host.
//
//   $JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<ns>.<pending>
//   $JS.ACK.<domain>.<account>.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<ns>.<pending>[...]

import { parseSequence } from '../lib/bytes';
import { EVENT_ACK } from '../lib/events';
import { pushEvent, raiseBarrier } from '../lib/ring';
import {
  msgData,
  msgDataLength,
  msgHeaderLength,
  msgReply,
  msgReplyLength,
  msgSubject,
  msgSubjectLength,
} from '../deliver/message';

const DOT: u32 = 0x2e;
const SHORT_TOKENS: u32 = 9;
const LONG_TOKENS: u32 = 11;
const MOST_TOKENS: u32 = 16;
/** `+ACK` as a little-endian word. */
const PLUS_ACK: u32 = 0x4b43412b;
const PLUS: u8 = 0x2b;
const PLUS_OK: u32 = 0x4b4f2b;

/** Offsets at which tokens begin, one more for the end. */
const starts: usize = memory.data(72, 4);

function splitSubject(): u32 {
  let count: u32 = 0;
  store<u32>(starts, 0);
  for (let i: u32 = 0; i < msgSubjectLength && count < MOST_TOKENS; i++) {
    if (<u32>load<u8>(msgSubject + i) == DOT) {
      count++;
      store<u32>(starts + ((<usize>count) << 2), i + 1);
    }
  }
  count++;
  store<u32>(starts + ((<usize>count) << 2), msgSubjectLength + 1);
  return count;
}

function numberAt(token: u32): i64 {
  const from = load<u32>(starts + ((<usize>token) << 2));
  const to = load<u32>(starts + ((<usize>(token + 1)) << 2)) - 1;
  return parseSequence(msgSubject + from, to - from);
}

/** Whether the payload is that of a plain acknowledgement: empty, `+ACK` or `+OK`. */
function isPlain(at: usize, length: u32): bool {
  if (!length) return true;
  if (load<u8>(at) != PLUS) return false;
  return (length == 4 && load<u32>(at) == PLUS_ACK) || (length == 3 && (load<u32>(at) & 0xffffff) == PLUS_OK);
}

/** Reports the current message as an acknowledgement for consumer `target`. */
export function consumerAck(target: u32): bool {
  const tokens = splitSubject();
  if (tokens != SHORT_TOKENS && tokens < LONG_TOKENS) return true;
  const first: u32 = tokens == SHORT_TOKENS ? 4 : 6;
  const deliveries = numberAt(first);
  const sequence = numberAt(first + 1);
  const consumerSequence = numberAt(first + 2);
  if (deliveries < 0 || sequence < 0 || consumerSequence < 0) return true;
  const data = msgData + msgHeaderLength;
  const length = msgDataLength - msgHeaderLength;
  const plain = isPlain(data, length);
  const words = pushEvent(EVENT_ACK, 11);
  if (!words) return true;
  store<u32>(words, target);
  store<u32>(words, plain ? 0 : 1, 4);
  store<u64>(words, <u64>sequence, 8);
  store<u64>(words, <u64>consumerSequence, 16);
  store<u32>(words, <u32>deliveries, 24);
  store<u32>(words, <u32>msgReply, 28);
  store<u32>(words, msgReplyLength, 32);
  store<u32>(words, <u32>data, 36);
  store<u32>(words, length, 40);
  if (!plain || msgReplyLength) raiseBarrier();
  return true;
}
