// What the host sets up of imports between accounts: the exports of the server kernel for crossing.ts.

import { alloc } from '../lib/arena';
import { copy } from '../lib/bytes';
import { accountAt } from './account';
import { connectionAt } from './connection';
import { setFollowed } from './message';
import { describe } from './request-info';
import { expireResponses as expire } from './responses';
import { Service, closeService as close } from './services';
import { addShadow, dropShadows } from './shadow';
import { Sub } from './subscription';
import { Entry, entrySubject } from '../match/interest';

export { openReplies, openService } from './services';

/** Keeps a mapping that lies at `at` (match/mapping.ts); returns its address, to be given to `free` at the end. */
export function openMapping(at: usize, size: u32): usize {
  const mapping = alloc(size);
  copy(mapping, at, size);
  return mapping;
}

/** Says whether an account imports streams: then each SUB in it is reported. */
export function importStreams(account: usize, on: bool): void {
  accountAt(account).importing = on;
}

/** Gives a subscription (of an EVENT_SUBSCRIBED, a listing or of the server) a shadow on a subject of another account. */
export function shadowSubscription(sub: usize, account: usize, subject: usize, length: u32, mapping: usize): void {
  addShadow(changetype<Sub>(sub), account, subject, length, mapping);
}

/** Takes a subscription's shadows away. */
export function unshadowSubscription(sub: usize): void {
  dropShadows(changetype<Sub>(sub));
}

// @ts-ignore: decorator
@inline
function entryOf(sub: usize): Entry {
  return changetype<Entry>(changetype<Sub>(sub).entry);
}

/** Address of a subscription's subject. */
export function subscriptionSubject(sub: usize): usize {
  return entrySubject(entryOf(sub));
}
/** Length of a subscription's subject. */
export function subscriptionSubjectLength(sub: usize): u32 {
  return entryOf(sub).length;
}
/** The host's number of a subscription's account. */
export function subscriptionAccount(sub: usize): u32 {
  return accountAt(changetype<Sub>(sub).account).id;
}

/** Ends the import of a service. */
export function closeService(service: usize): void {
  close(changetype<Service>(service));
}

/** Drops the replies awaited through a service that were not used since `beforeMs`; returns how many are still awaited. */
export function expireResponses(service: usize, beforeMs: f64): u32 {
  return expire(changetype<Service>(service), beforeMs);
}

/** Says whether messages that tracing systems mark are followed in an account. */
export function traceAccount(account: usize, on: bool): void {
  accountAt(account).traced = on;
}

/** Says whether the host follows the messages that are routed from now on. */
export function followMessages(on: bool): void {
  setFollowed(on);
}

/** The host looks now whether requestors of an account still listen. */
export function lookedAtLoss(account: usize): void {
  accountAt(account).lossTold = false;
}

/** Sets what services are told of a connection; see request-info.ts. */
export function describeConnection(index: u32, at: usize, size: u32): void {
  describe(connectionAt(index), at, size);
}
