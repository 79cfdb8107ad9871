// Measured services: the host hears of each request, and how it ended, and makes of it what the exporting account is told. A
// requestor who does not listen any more has not waited: whether that is so the host finds out, when subscriptions end in an
// account that awaits measured replies.
// Kept true: of each number the host hears once how it ended, unless the import is closed before.

import { EVENT_INTEREST_LOST, EVENT_SERVICE_ASKED, EVENT_SERVICE_ENDED } from '../lib/events';
import { pushEvent, raiseBarrier } from '../lib/ring';
import { accountAt } from './account';
import { Connection } from './connection';
import { msgConnection, msgData, msgHeaderLength, msgReply, msgReplyLength } from './message';
import { Response } from './responses';

/** The reply came. */
export const ANSWERED: u32 = 0;
/** Nobody took the request. */
export const NOT_TAKEN: u32 = 1;
/** No reply came in time. */
export const TIMED_OUT: u32 = 2;

let lastNumber: u32 = 0;

function publisher(): u32 {
  return msgConnection ? changetype<Connection>(msgConnection).index : 0;
}

/** Reports the current message as a request; `awaited`: a reply can come. Returns its number, 0 without. */
export function tellAsked(service: usize, awaited: bool): u32 {
  const words = pushEvent(EVENT_SERVICE_ASKED, 7);
  if (!words) return 0;
  if (awaited && !++lastNumber) lastNumber = 1;
  const number: u32 = awaited ? lastNumber : 0;
  store<u32>(words, number);
  store<u32>(words, <u32>service, 4);
  store<u32>(words, publisher(), 8);
  store<u32>(words, <u32>msgReply, 12);
  store<u32>(words, msgReplyLength, 16);
  store<u32>(words, msgHeaderLength, 20);
  store<u32>(words, <u32>msgData, 24);
  raiseBarrier();
  return number;
}

/** A response is that of a measured request. */
export function measure(response: Response, number: u32): void {
  response.measured = number;
  if (number) accountAt(response.account).measured++;
}

/** Reports how a measured request ended, once. */
export function tellEnded(response: Response, outcome: u32): void {
  const words = pushEvent(EVENT_SERVICE_ENDED, 3);
  if (words) {
    store<u32>(words, response.measured);
    store<u32>(words, outcome, 4);
    store<u32>(words, publisher(), 8);
  }
  response.measured = 0;
  accountAt(response.account).measured--;
}

/** Reports that subscriptions ended in an account, once until the host has looked. */
export function tellLoss(account: usize): void {
  if (accountAt(account).lossTold) return;
  const words = pushEvent(EVENT_INTEREST_LOST, 1);
  if (!words) return;
  store<u32>(words, accountAt(account).id);
  accountAt(account).lossTold = true;
}
