// Listings of subscriptions for monitoring and permission changes: fixed records that the host reads.
//
//   record, 56 bytes: f64 delivered | f64 max (0: none) | u32 sub | connection index or 0 | subject, length |
//                     queue, length (0: none) | sid, length | kind | target

import { Entry, entriesOf, entrySubject } from '../match/interest';
import { slotPointer } from '../lib/table';
import { interestAt, queueNameBytes, queueNameLength } from './account';
import { Connection } from './connection';
import { shadowOf } from './shadow';
import { Group, KIND_SHADOW, Sub, sidOf } from './subscription';

/** Bytes of one record. */
const RECORD_SIZE: usize = 56;

let written: u32 = 0;

/** Where `listInterest` goes on: the entry slot after the last one listed in full. */
export let listedSlot: u32 = 0;

function write(list: usize, sub: Sub): void {
  const at = list + <usize>written * RECORD_SIZE;
  written++;
  const entry = changetype<Entry>(sub.entry);
  // A shadow is listed under its subscription's connection.
  const owner = sub.kind == KIND_SHADOW ? changetype<Sub>(shadowOf(sub).parent) : sub;
  const name: usize = sub.group ? changetype<Group>(sub.group).name : 0;
  store<f64>(at, <f64>sub.delivered);
  store<f64>(at, <f64>sub.max, 8);
  store<u32>(at, <u32>changetype<usize>(sub), 16);
  store<u32>(at, owner.connection ? changetype<Connection>(owner.connection).index : 0, 20);
  store<u32>(at, <u32>entrySubject(entry), 24);
  store<u32>(at, entry.length, 28);
  store<u32>(at, name ? <u32>queueNameBytes(name) : 0, 32);
  store<u32>(at, name ? queueNameLength(name) : 0, 36);
  store<u32>(at, <u32>sidOf(owner), 40);
  store<u32>(at, owner.sidLength, 44);
  store<u32>(at, sub.kind, 48);
  store<u32>(at, sub.target, 52);
}

/** Lists a connection's subscriptions behind the one at address `after`. */
export function listConnection(connection: Connection, after: usize, list: usize, most: u32): u32 {
  written = 0;
  let sub = after ? changetype<Sub>(after).nextOfConnection : connection.firstSub;
  while (sub && written < most) {
    write(list, changetype<Sub>(sub));
    sub = changetype<Sub>(sub).nextOfConnection;
  }
  return written;
}

function countOf(entry: Entry): u32 {
  let count = entry.plainCount;
  let group = entry.groups;
  while (group) {
    count += changetype<Group>(group).count;
    group = changetype<Group>(group).next;
  }
  return count;
}

function writeList(list: usize, first: usize, most: u32): void {
  let sub = first;
  while (sub && written < most) {
    write(list, changetype<Sub>(sub));
    sub = changetype<Sub>(sub).next;
  }
}

/** Lists an account's subscriptions from an entry slot on; an entry with more than `most` is cut. */
export function listInterest(account: usize, slot: u32, list: usize, most: u32): u32 {
  const table = entriesOf(interestAt(account));
  written = 0;
  let i = slot;
  for (; i <= table.mask; i++) {
    const pointer = slotPointer(table, i);
    if (!pointer) continue;
    const entry = changetype<Entry>(pointer);
    if (written && written + countOf(entry) > most) break;
    writeList(list, entry.firstSub, most);
    let group = entry.groups;
    while (group) {
      writeList(list, changetype<Group>(group).firstSub, most);
      group = changetype<Group>(group).next;
    }
  }
  listedSlot = i > table.mask ? 0 : i;
  return written;
}
