// Response permissions (`allow_responses`): a connection that may not publish freely may answer the requests it was sent, so many
// times and for so long. One small table a connection, filled when a message with a reply is delivered, emptied by use and by
// age.
//
//   Reply  f64 expires (ms of the kernel's clock) | i32 left (negative: unlimited) | u32 tag | u32 length | u32 spare | bytes

import { alloc, allocZero, free } from '../lib/arena';
import { copy, equal } from '../lib/bytes';
import {
  Table,
  slotPointer,
  slotTag,
  tableAdd,
  tableAt,
  tableClose,
  tableNext,
  tableOpen,
  tableRemove,
  tableStart,
} from '../lib/table';
import { subjectTag } from '../match/interest';
import { nowMs } from '../lib/time';
import { Connection } from './connection';

const REPLY_SIZE: usize = 24;
/** Expired replies are swept when the table has twice as many, and this many more, than after the last sweep. */
const SWEEP_AT: u32 = 32;

// @ts-ignore: decorator
@inline
function tableOf(connection: Connection): Table {
  return tableAt(connection.replies);
}

function find(table: Table, tag: u32, at: usize, length: u32): usize {
  let slot = tableStart(table, tag);
  while (true) {
    const reply = slotPointer(table, slot);
    if (!reply) return 0;
    if (slotTag(table, slot) == tag && load<u32>(reply, 16) == length && equal(reply + REPLY_SIZE, at, length)) return reply;
    slot = tableNext(table, slot);
  }
}

function remove(table: Table, reply: usize): void {
  tableRemove(table, load<u32>(reply, 12), reply);
  free(reply);
}

/** Lets the connection answer on this reply subject. */
export function rememberReply(connection: Connection, at: usize, length: u32): void {
  if (!connection.replies) {
    connection.replies = allocZero(16);
    tableOpen(tableOf(connection));
  }
  const table = tableOf(connection);
  const tag = subjectTag(at, length);
  let reply = find(table, tag, at, length);
  if (!reply) {
    if (table.count >= (table.spare << 1) + SWEEP_AT) sweep(table);
    reply = alloc(REPLY_SIZE + length);
    store<u32>(reply, tag, 12);
    store<u32>(reply, length, 16);
    copy(reply + REPLY_SIZE, at, length);
    tableAdd(table, tag, reply);
  }
  store<f64>(reply, connection.responseTtl ? nowMs + <f64>connection.responseTtl : Infinity);
  store<i32>(reply, connection.responseMax, 8);
}

/** Whether the connection may answer on this subject now; uses one of its answers. */
export function mayRespond(connection: Connection, at: usize, length: u32): bool {
  if (!connection.replies) return false;
  const table = tableOf(connection);
  const reply = find(table, subjectTag(at, length), at, length);
  if (!reply) return false;
  if (load<f64>(reply) <= nowMs) {
    remove(table, reply);
    return false;
  }
  const left = load<i32>(reply, 8);
  if (left < 0) return true;
  if (left <= 1) remove(table, reply);
  else store<i32>(reply, left - 1, 8);
  return true;
}

function sweep(table: Table): void {
  // Backwards, since a removal may shift later slots into the one being looked at, and may shrink the table.
  for (let i: i32 = <i32>table.mask; i >= 0; i--) {
    if (<u32>i > table.mask) continue;
    const reply = slotPointer(table, <u32>i);
    if (reply && load<f64>(reply) <= nowMs) remove(table, reply);
  }
  table.spare = table.count;
}

/** Frees the table. */
export function dropReplies(connection: Connection): void {
  if (!connection.replies) return;
  const table = tableOf(connection);
  for (let i: i32 = <i32>table.mask; i >= 0; i--) free(slotPointer(table, <u32>i));
  tableClose(table);
  free(connection.replies);
  connection.replies = 0;
}
