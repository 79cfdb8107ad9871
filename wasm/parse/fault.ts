// Raising an error: a ring entry for the host and a barrier, so that the text it sends comes in order.

import { EVENT_ERROR } from '../lib/events';
import { pushEvent, raiseBarrier } from '../lib/ring';
import { Connection } from '../deliver/connection';

/** Reports error `code` of lib/errors.ts; `at` and `length` say what, where there is something to say. */
export function raiseError(connection: Connection, code: u32, at: usize, length: u32): void {
  raiseBarrier();
  const words = pushEvent(EVENT_ERROR, 4);
  if (!words) return;
  store<u32>(words, connection.index);
  store<u32>(words, code, 4);
  store<u32>(words, <u32>at, 8);
  store<u32>(words, length, 12);
}
