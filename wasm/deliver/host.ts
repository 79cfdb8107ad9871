// Deliveries to the host: a message that matched a subscription of the server itself becomes a ring entry, and the parser stops
// behind it, so that the host's answer goes out before anything later is read.

import { EVENT_MESSAGE } from '../lib/events';
import { pushEvent, raiseBarrier } from '../lib/ring';
import { accountAt } from './account';
import { Connection } from './connection';
import {
  msgAccount,
  msgConnection,
  msgData,
  msgDataLength,
  msgHeaderLength,
  msgReply,
  msgReplyLength,
  msgSubject,
  msgSubjectLength,
} from './message';
import { Sub } from './subscription';

/** Words of a message in an entry. */
export const MESSAGE_WORDS: u32 = 10;

/** Writes the current message into an entry, under the subscription's tag. */
export function layMessage(words: usize, sub: Sub): void {
  store<u32>(words, sub.target);
  store<u32>(words, msgConnection ? changetype<Connection>(msgConnection).index : 0, 4);
  store<u32>(words, accountAt(msgAccount).id, 8);
  store<u32>(words, <u32>msgSubject, 12);
  store<u32>(words, msgSubjectLength, 16);
  store<u32>(words, <u32>msgReply, 20);
  store<u32>(words, msgReplyLength, 24);
  store<u32>(words, msgHeaderLength, 28);
  store<u32>(words, <u32>msgData, 32);
  store<u32>(words, msgDataLength, 36);
}

/** Reports the current message to the host. */
export function hostMessage(sub: Sub): bool {
  const words = pushEvent(EVENT_MESSAGE, MESSAGE_WORDS);
  if (!words) return false;
  layMessage(words, sub);
  raiseBarrier();
  return true;
}
