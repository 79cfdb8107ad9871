// Replies on their way back: a request that crossed into another account carries a one-time reply subject there, `_R_.<account's
// own>.<random>`. What is published on it is handed on to the subject that the requestor gave, in the requestor's account.
//
//   Response  48 bytes, then the one-time subject, then the requestor's
//
// A response ends with its reply; those of services that answer more than once end with an empty message or when nothing came for
// as long as the export allows. Each service keeps its responses in the order of their last use, so that the old ones come first.

import { alloc, free } from '../lib/arena';
import { copy, equal, hash64 } from '../lib/bytes';
import { Table, slotPointer, slotTag, tableAdd, tableAt, tableNext, tableOpen, tableRemove, tableStart } from '../lib/table';
import { ringNearlyFull } from '../lib/ring';
import { nowMs } from '../lib/time';
import { subjectTag } from '../match/interest';
import { Service } from './services';
import { accountAt } from './account';
import { TIMED_OUT, tellEnded } from './measured';

/** `_R_.`, six characters of the account, a dot. */
export const PREFIX_LENGTH: u32 = 11;
const RANDOM_LENGTH: u32 = 6;
/** Length of a one-time reply subject. */
export const ONE_TIME_LENGTH: u32 = PREFIX_LENGTH + RANDOM_LENGTH;
const ALPHABET: u64 = 62;

/** One reply awaited. */
@unmanaged
export class Response {
  tag: u32;
  /** The account whose subscribers may answer. */
  home: usize;
  /** Where the reply goes. */
  account: usize;
  /** The import that the request came through. */
  service: usize;
  prev: usize;
  next: usize;
  toLength: u32;
  /** Its number, where the service is measured; 0: it is not, or was answered. */
  measured: u32;
  /** When it was made or last answered, by the kernel's clock in ms. */
  usedMs: f64;
}

const RESPONSE_SIZE: usize = 48;

const tableBlock: usize = memory.data(16, 8);
const counter: usize = memory.data(8, 8);

// @ts-ignore: decorator
@inline
function responses(): Table {
  return tableAt(tableBlock);
}

/** The one-time subject of a response. */
// @ts-ignore: decorator
@inline
export function oneTimeSubject(response: Response): usize {
  return changetype<usize>(response) + RESPONSE_SIZE;
}

/** The subject that the requestor waits on. */
// @ts-ignore: decorator
@inline
export function awaitedSubject(response: Response): usize {
  return changetype<usize>(response) + RESPONSE_SIZE + ONE_TIME_LENGTH;
}

/** The response of a one-time subject, or null. */
export function findResponse(at: usize, length: u32): Response {
  if (length != ONE_TIME_LENGTH || !responses().slots) return changetype<Response>(0);
  const tag = subjectTag(at, length);
  let slot = tableStart(responses(), tag);
  while (true) {
    const pointer = slotPointer(responses(), slot);
    if (!pointer) return changetype<Response>(0);
    if (slotTag(responses(), slot) == tag) {
      const response = changetype<Response>(pointer);
      if (equal(oneTimeSubject(response), at, ONE_TIME_LENGTH)) return response;
    }
    slot = tableNext(responses(), slot);
  }
}

/** Six characters nobody can guess: a keyed hash of a counter. */
export function printRandom(to: usize): void {
  store<u64>(counter, load<u64>(counter) + 1);
  let rest = hash64(counter, 8);
  for (let i: u32 = 0; i < RANDOM_LENGTH; i++) {
    const digit = <u32>(rest % ALPHABET);
    rest /= ALPHABET;
    store<u8>(to + i, <u8>(digit < 10 ? 0x30 + digit : digit < 36 ? 0x41 + digit - 10 : 0x61 + digit - 36));
  }
}

/** Awaits a reply in `home` for the requestor's subject `to` in `account`. */
export function awaitReply(service: Service, home: usize, account: usize, to: usize, toLength: u32): Response {
  const response = changetype<Response>(alloc(RESPONSE_SIZE + ONE_TIME_LENGTH + toLength));
  const subject = oneTimeSubject(response);
  copy(subject, accountAt(home).replies, PREFIX_LENGTH);
  do printRandom(subject + PREFIX_LENGTH);
  while (changetype<usize>(findResponse(subject, ONE_TIME_LENGTH)));
  copy(awaitedSubject(response), to, toLength);
  response.tag = subjectTag(subject, ONE_TIME_LENGTH);
  response.home = home;
  response.account = account;
  response.service = changetype<usize>(service);
  response.toLength = toLength;
  response.measured = 0;
  response.usedMs = nowMs;
  if (!responses().slots) tableOpen(responses());
  tableAdd(responses(), response.tag, changetype<usize>(response));
  link(response, service);
  return response;
}

function link(response: Response, service: Service): void {
  response.prev = service.lastResponse;
  response.next = 0;
  if (service.lastResponse) changetype<Response>(service.lastResponse).next = changetype<usize>(response);
  else service.firstResponse = changetype<usize>(response);
  service.lastResponse = changetype<usize>(response);
  service.responses++;
}

function unlink(response: Response, service: Service): void {
  if (response.prev) changetype<Response>(response.prev).next = response.next;
  else service.firstResponse = response.next;
  if (response.next) changetype<Response>(response.next).prev = response.prev;
  else service.lastResponse = response.prev;
  service.responses--;
}

/** The response was answered and more may come. */
export function touchResponse(response: Response): void {
  const service = changetype<Service>(response.service);
  unlink(response, service);
  response.usedMs = nowMs;
  link(response, service);
}

/** Nothing is awaited any more. */
export function dropResponse(response: Response): void {
  unlink(response, changetype<Service>(response.service));
  if (response.measured) accountAt(response.account).measured--;
  tableRemove(responses(), response.tag, changetype<usize>(response));
  free(changetype<usize>(response));
}

/**
 * Drops a service's responses that were not used since `beforeMs`, as many as the ring can tell of; returns how many are left.
 */
export function expireResponses(service: Service, beforeMs: f64): u32 {
  while (service.firstResponse && !ringNearlyFull()) {
    const response = changetype<Response>(service.firstResponse);
    if (response.usedMs > beforeMs) break;
    if (response.measured) tellEnded(response, TIMED_OUT);
    dropResponse(response);
  }
  return service.responses;
}
