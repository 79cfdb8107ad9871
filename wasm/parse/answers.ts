// The two answers that the kernel gives by itself.

import { append } from '../deliver/chain';
import { CLOSED, Connection, SLOW } from '../deliver/connection';

const ok: usize = memory.data<u8>([0x2b, 0x4f, 0x4b, 13, 10]); // +OK
const pong: usize = memory.data<u8>([0x50, 0x4f, 0x4e, 0x47, 13, 10]); // PONG

/** Queues `+OK`. */
export function sendOk(connection: Connection): void {
  if (!(connection.flags & (CLOSED | SLOW))) append(connection, ok, 5);
}

/** Queues `PONG`. */
export function sendPong(connection: Connection): void {
  if (!(connection.flags & (CLOSED | SLOW))) append(connection, pong, 6);
}
