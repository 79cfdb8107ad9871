// Ring entries of the store; they follow EVENT_STORE of lib/events.ts.

import { EVENT_STORE } from '../lib/events';

/** tag: the stream has something to write; once until the host has taken it. */
export const EVENT_STREAM_DIRTY: u32 = EVENT_STORE;
/**
 * tag, reason (JUDGE_*), address, subject length, reply length, header length, data length: a publish for the host to decide. At
 * the address lie subject, reply, headers and payload in one piece, to be freed by the host. Barrier.
 */
export const EVENT_STREAM_PUBLISH: u32 = EVENT_STORE + 1;
/**
 * tag, block, offset, length, sequence (f64), and what EVENT_MESSAGE has: a direct get of a message that may be shown, whose
 * record the host brings into a window. Barrier.
 */
export const EVENT_STREAM_DIRECT: u32 = EVENT_STORE + 2;

/** Why the host must decide: what the publish carries, or which limit it would pass. */
export const JUDGE_HEADERS: u32 = 1;
export const JUDGE_SEALED: u32 = 2;
export const JUDGE_SIZE: u32 = 3;
export const JUDGE_MESSAGES: u32 = 4;
export const JUDGE_BYTES: u32 = 5;
export const JUDGE_PER_SUBJECT: u32 = 6;
export const JUDGE_FAULT: u32 = 7;
export const JUDGE_ROOM: u32 = 8;
/** The kernel's memory is short: headers and payload stay away. */
export const JUDGE_MEMORY: u32 = 9;
