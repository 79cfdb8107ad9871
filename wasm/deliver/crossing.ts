// A message crosses into another account, inside the call that routes it. Three kinds of subscriptions do that:
//
//   shadow     of a stream import: the message is handed to the importing account's subscription, under its subject there
//   service    import: the message is routed once more in the exporting account, with a one-time reply subject; the service hears
//              who asks in a header
//   response   to a one-time reply subject: the message is routed once more in the requestor's account, on the subject that it
//              waits on
//
// Kept true: afterwards the message is what it was before; it passes the same exported service only once; what a service brought
// is not handed to stream imports.

import { copy, equal } from '../lib/bytes';
import { EVENT_MAP_IMPORTED } from '../lib/events';
import { pushEvent, raiseBarrier, ringUsed } from '../lib/ring';
import { mapSubject, mappedMost } from '../match/mapping';
import { accountAt } from './account';
import { Connection } from './connection';
import { hostMessage } from './host';
import { giveBack, lend, lent } from './lent';
import {
  SAVED_MESSAGE,
  bareData,
  bareHeaderLength,
  bareLength,
  followed,
  msgConnection,
  msgAccount,
  msgData,
  msgDataLength,
  msgHeaderLength,
  msgReply,
  msgReplyLength,
  msgSubject,
  msgSubjectLength,
  restoreMessage,
  routed,
  routedLength,
  saveMessage,
  setBare,
  setData,
  setFollowed,
  setOrigin,
  setReply,
  setSubject,
} from './message';
import { hears } from './noresponders';
import { permits } from './permissions';
import { setRequestInfo, setTraceDestination } from './request-info';
import { ANSWERED, NOT_TAKEN, measure, tellAsked, tellEnded } from './measured';
import {
  ONE_TIME_LENGTH,
  PREFIX_LENGTH,
  Response,
  awaitReply,
  awaitedSubject,
  dropResponse,
  findResponse,
  oneTimeSubject,
  printRandom,
  touchResponse,
} from './responses';
import { deliverToClient, routeVia } from './route';
import { ALLOW_TRACE, MANY_REPLIES, MEASURED, SHARED, Service } from './services';
import { shadowOf } from './shadow';
import { KIND_CLIENT, KIND_HOST, Sub } from './subscription';
import { streamAppend } from '../stream/append';

/** A message passes so many services at the most. */
const DEEPEST: u32 = 32;

const saved: usize = memory.data(2048, 8); // DEEPEST messages of SAVED_MESSAGE bytes
const passed: usize = memory.data(128, 4); // DEEPEST numbers of exports
const kept: usize = memory.data(64, 8); // one message of SAVED_MESSAGE bytes
let depth: u32 = 0;
let shared: bool = false;

const noTrace: usize = memory.data<u8>([
  0x74, 0x72, 0x61, 0x63, 0x65, 0x20, 0x64, 0x69, 0x73, 0x61, 0x62, 0x6c, 0x65, 0x64, 0, 0,
]);
const NO_TRACE_LENGTH: u32 = 14;

const ackPrefix: usize = memory.data<u8>([0x24, 0x4a, 0x53, 0x2e, 0x41, 0x43, 0x4b, 0x2e]); // $JS.ACK.

/** The subject that the mapping makes of the routed one, in lent memory; its length is `mappedLength`. */
let mappedLength: u32 = 0;
function mapRouted(mapping: usize): usize {
  if (!mapping) {
    mappedLength = routedLength;
    return routed;
  }
  const to = lend(mappedMost(mapping, routedLength));
  mappedLength = mapSubject(mapping, routed, routedLength, to);
  return to;
}

/** Hands the current message to the subscription that a shadow stands for. */
export function crossStream(sub: Sub): bool {
  if (depth) return false;
  const shadow = shadowOf(sub);
  const parent = changetype<Sub>(shadow.parent);
  const account = msgAccount;
  const subject = msgSubject;
  const length = msgSubjectLength;
  const words = ringUsed();
  const mark = lent();
  if (subject == routed) {
    // A stored message on its way to a consumer keeps its own subject.
    const mapped = mapRouted(shadow.mapping);
    setSubject(mapped, mappedLength);
  }
  setOrigin(msgConnection, parent.account);
  let taken = false;
  if (parent.kind == KIND_CLIENT) taken = deliverToClient(parent);
  else taken = parent.kind == KIND_HOST ? tellHost(parent) : streamAppend(parent.target);
  setOrigin(msgConnection, account);
  setSubject(subject, length);
  giveBack(mark, words);
  return taken;
}

/**
 * Hands a message of the server to a subscription of the host. A consumer delivers many messages in one call from the same
 * buffers, so the entry gets copies.
 */
export function tellHost(sub: Sub): bool {
  saveMessage(kept);
  const block = lend(<usize>msgSubjectLength + msgReplyLength + msgDataLength);
  const data = block + msgSubjectLength + msgReplyLength;
  copy(block, msgSubject, msgSubjectLength);
  copy(block + msgSubjectLength, msgReply, msgReplyLength);
  copy(data, msgData, msgDataLength);
  setSubject(block, msgSubjectLength);
  setReply(block + msgSubjectLength, msgReplyLength);
  setData(data, msgDataLength, msgHeaderLength);
  const taken = hostMessage(sub);
  restoreMessage(kept);
  return taken;
}

/** Stores a message that came with a request's header as its publisher sent it. */
export function storeBare(target: u32): bool {
  const data = msgData;
  const length = msgDataLength;
  const headerLength = msgHeaderLength;
  setData(bareData, bareLength, bareHeaderLength);
  const taken = streamAppend(target);
  setData(data, length, headerLength);
  return taken;
}

function hasPassed(exported: u32): bool {
  for (let i: u32 = 0; i < depth; i++) if (load<u32>(passed + ((<usize>i) << 2)) == exported) return true;
  return depth == DEEPEST;
}

function enter(service: Service): void {
  saveMessage(saved + <usize>depth * SAVED_MESSAGE);
  store<u32>(passed + ((<usize>depth) << 2), service.exported);
  depth++;
}

function leave(): void {
  depth--;
  if (!depth) setBare(0, 0, 0);
  restoreMessage(saved + <usize>depth * SAVED_MESSAGE);
}

/** Whether the current message is answered by an acknowledgement, whose numbers must arrive as they are. */
function acknowledges(): bool {
  return msgReplyLength > 8 && equal(msgReply, ackPrefix, 8);
}

/** Gives the current message a one-time reply subject in `home`; the reply goes to the one it has in `account`. */
function awaitAnswer(service: Service, home: usize, account: usize): Response {
  if (!msgReplyLength || acknowledges()) return changetype<Response>(0);
  const response = awaitReply(service, home, account, msgReply, msgReplyLength);
  const subject = lend(ONE_TIME_LENGTH);
  copy(subject, oneTimeSubject(response), ONE_TIME_LENGTH);
  setReply(subject, ONE_TIME_LENGTH);
  return response;
}

/** Routes the current message on the subject of another account; one that is mapped there is put to the host first. */
function routeIn(account: usize, to: usize, length: u32): bool {
  if (msgSubject == routed) setSubject(to, length);
  setOrigin(msgConnection, account);
  const mappings = accountAt(account).mappings;
  if (mappings && permits(mappings, to, length)) return askForMapping();
  return routeVia(to, length) != 0 || hears(account, to, length);
}

/** A followed message goes to a service: its trace may end there, and else goes on under a subject of the exporting account. */
function passTrace(service: Service): void {
  setFollowed((service.flags & ALLOW_TRACE) != 0);
  if (!followed) return setTraceDestination(noTrace, NO_TRACE_LENGTH);
  const subject = lend(ONE_TIME_LENGTH);
  copy(subject, accountAt(service.account).replies, PREFIX_LENGTH);
  printRandom(subject + PREFIX_LENGTH);
  setTraceDestination(subject, ONE_TIME_LENGTH);
}

/** Sends a request to the account that exports the service. */
export function crossService(sub: Sub): bool {
  const service = changetype<Service>(<usize>sub.target);
  if (hasPassed(service.exported)) return false;
  const words = ringUsed();
  const mark = lent();
  enter(service);
  const number: u32 =
    service.flags & MEASURED && !acknowledges() ? tellAsked(changetype<usize>(service), msgReplyLength != 0) : 0;
  const response = awaitAnswer(service, service.account, msgAccount);
  if (number) measure(response, number);
  if (depth == 1) shared = (service.flags & SHARED) != 0;
  if (depth == 1) setBare(msgData, msgDataLength, msgHeaderLength);
  if (msgConnection)
    setRequestInfo(changetype<Connection>(msgConnection), shared, depth > 1 ? service.via : 0, service.viaLength);
  const traced = followed;
  if (traced && msgHeaderLength) passTrace(service);
  const to = mapRouted(service.mapping);
  const taken = routeIn(service.account, to, mappedLength);
  setFollowed(traced);
  leave();
  giveBack(mark, words);
  if (!taken && changetype<usize>(response)) {
    if (response.measured) tellEnded(response, NOT_TAKEN);
    dropResponse(response);
  }
  return taken;
}

/** Hands a reply on to the account that asked. */
export function crossResponse(): bool {
  const response = findResponse(routed, routedLength);
  // A client is not told that its reply came too late.
  if (!changetype<usize>(response) || response.home != msgAccount) return msgConnection != 0;
  const service = changetype<Service>(response.service);
  if (hasPassed(service.exported)) return false;
  const words = ringUsed();
  const mark = lent();
  const last = !(service.flags & MANY_REPLIES) || !msgDataLength;
  enter(service);
  if (response.measured) tellEnded(response, ANSWERED);
  const length = response.toLength;
  const to = lend(length);
  copy(to, awaitedSubject(response), length);
  const back = awaitAnswer(service, response.account, response.home);
  const taken = routeIn(response.account, to, length);
  leave();
  giveBack(mark, words);
  if (!taken && changetype<usize>(back)) dropResponse(back);
  if (last || !taken) dropResponse(response);
  else touchResponse(response);
  return taken || msgConnection != 0;
}

/** Reports the current message to the host, whose mappings of its account say where it goes. */
function askForMapping(): bool {
  const words = pushEvent(EVENT_MAP_IMPORTED, 9);
  if (!words) return false;
  store<u32>(words, accountAt(msgAccount).id);
  store<u32>(words, <u32>msgSubject, 4);
  store<u32>(words, msgSubjectLength, 8);
  store<u32>(words, <u32>msgReply, 12);
  store<u32>(words, msgReplyLength, 16);
  store<u32>(words, msgHeaderLength, 20);
  store<u32>(words, <u32>msgData, 24);
  store<u32>(words, msgDataLength, 28);
  store<u32>(words, msgConnection ? changetype<Connection>(msgConnection).index : 0, 32);
  raiseBarrier();
  return true;
}

/** On which subject the reply arrives that `traceReply` looked for last. */
export let tracedSubject: usize = 0;
export let tracedLength: u32 = 0;

/** The account in which a reply on `subject` arrives in the end; `tracedSubject` and `tracedLength` say on which subject. */
export function traceReply(account: usize, subject: usize, length: u32): usize {
  tracedSubject = subject;
  tracedLength = length;
  for (let i: u32 = 0; i < DEEPEST; i++) {
    const response = findResponse(tracedSubject, tracedLength);
    if (!changetype<usize>(response) || response.home != account) break;
    account = response.account;
    tracedSubject = awaitedSubject(response);
    tracedLength = response.toLength;
  }
  return account;
}
