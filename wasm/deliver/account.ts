// An account: one subject space. Subscriptions hang on the entries of its interest; queue names are kept once an account, so that
// groups on different subjects are the same group when their name has the same address.

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
import { INTEREST_SIZE, Interest, interestClose, interestOpen, subjectTag } from '../match/interest';

/** One account: its Interest first, so that both have the same address. */
@unmanaged
export class Account {
  id: u32;
  /** Subscriptions of clients. */
  subs: u32;
  /** Interest in the source subjects of its mappings, 0 when it has none. */
  mappings: usize;
  queueSlots: usize;
  queueMask: u32;
  queueCount: u32;
  queueSpare: u32;
  /** Subscriptions that take a message into another account. */
  crossings: u32;
  /** The account imports streams: the host hears of each subscription. */
  importing: bool;
  /** The host was told that subscriptions ended, and has not looked yet. */
  lossTold: bool;
  /** Messages that tracing systems mark are followed. */
  traced: bool;
  /** Its prefix of one-time reply subjects, 0 until it has to do with services. */
  replies: usize;
  /** Watched subjects, see watch.ts. */
  watches: u32;
  /** Replies of measured services that its clients await, see measured.ts. */
  measured: u32;
  /** The set of subjects on which the server hears requests and may say nothing; 0: there are none. */
  heard: usize;
}

const ACCOUNT_SIZE: usize = INTEREST_SIZE + 56;

/** The account whose interest starts at `address`. */
// @ts-ignore: decorator
@inline
export function accountAt(address: usize): Account {
  return changetype<Account>(address + INTEREST_SIZE);
}

/** The interest of the account at `address`. */
// @ts-ignore: decorator
@inline
export function interestAt(address: usize): Interest {
  return changetype<Interest>(address);
}

// @ts-ignore: decorator
@inline
function queuesOf(address: usize): Table {
  return tableAt(address + INTEREST_SIZE + offsetof<Account>('queueSlots'));
}

/** A new account; `id` is the host's number for it. Returns its address. */
export function newAccount(id: u32): usize {
  const address = allocZero(ACCOUNT_SIZE);
  interestOpen(interestAt(address));
  tableOpen(queuesOf(address));
  accountAt(address).id = id;
  return address;
}

/** Frees an account without subscriptions. */
export function freeAccount(address: usize): void {
  interestClose(interestAt(address));
  tableClose(queuesOf(address));
  free(address);
}

/** A queue group's name, kept once: u32 tag | u32 length | u32 references | bytes. */
const NAME_SIZE: usize = 12;

/** The address of a queue name that somebody holds, 0 for none. */
export function findQueueName(account: usize, at: usize, length: u32): usize {
  const table = queuesOf(account);
  if (!table.slots) return 0;
  const tag = subjectTag(at, length);
  let slot = tableStart(table, tag);
  while (true) {
    const name = slotPointer(table, slot);
    if (!name) return 0;
    if (slotTag(table, slot) == tag && load<u32>(name, 4) == length && equal(name + NAME_SIZE, at, length)) return name;
    slot = tableNext(table, slot);
  }
}

/** Takes a reference on a queue name; returns its address. */
export function holdQueueName(account: usize, at: usize, length: u32): usize {
  const found = findQueueName(account, at, length);
  if (found) {
    store<u32>(found, load<u32>(found, 8) + 1, 8);
    return found;
  }
  const table = queuesOf(account);
  const tag = subjectTag(at, length);
  const name = alloc(NAME_SIZE + length);
  store<u32>(name, tag);
  store<u32>(name, length, 4);
  store<u32>(name, 1, 8);
  copy(name + NAME_SIZE, at, length);
  tableAdd(table, tag, name);
  return name;
}

/** Drops a reference on a queue name. */
export function dropQueueName(account: usize, name: usize): void {
  const references = load<u32>(name, 8) - 1;
  store<u32>(name, references, 8);
  if (references) return;
  tableRemove(queuesOf(account), load<u32>(name), name);
  free(name);
}

/** Address of a queue name's bytes. */
// @ts-ignore: decorator
@inline
export function queueNameBytes(name: usize): usize {
  return name + NAME_SIZE;
}

/** Length of a queue name. */
// @ts-ignore: decorator
@inline
export function queueNameLength(name: usize): u32 {
  return load<u32>(name, 4);
}
