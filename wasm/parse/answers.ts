// The answers that the kernel gives by itself.

import { append } from '../deliver/chain';
import { CLOSED, Connection, SLOW } from '../deliver/connection';

const ok: usize = memory.data<u8>([0x2b, 0x4f, 0x4b, 13, 10]); // +OK
const pong: usize = memory.data<u8>([0x50, 0x4f, 0x4e, 0x47, 13, 10]); // PONG

/** -ERR 'Invalid Publish Subject' */
const invalidSubject: usize = memory.data<u8>([
  0x2d, 0x45, 0x52, 0x52, 0x20, 0x27, 0x49, 0x6e, 0x76, 0x61, 0x6c, 0x69, 0x64, 0x20, 0x50, 0x75, 0x62, 0x6c, 0x69, 0x73, 0x68,
  0x20, 0x53, 0x75, 0x62, 0x6a, 0x65, 0x63, 0x74, 0x27, 13, 10,
]);
const INVALID_SUBJECT_LENGTH: u32 = 32;

/** Queues the complaint about a publish subject; the publish goes on. */
export function sendInvalidSubject(connection: Connection): void {
  if (!(connection.flags & (CLOSED | SLOW))) append(connection, invalidSubject, INVALID_SUBJECT_LENGTH);
}

/** Queues `+OK`. */
export function sendOk(connection: Connection): void {
  if (!(connection.flags & (CLOSED | SLOW))) append(connection, ok, 5);
}

/** Queues `PONG`. */
export function sendPong(connection: Connection): void {
  if (!(connection.flags & (CLOSED | SLOW))) append(connection, pong, 6);
}
