// Service imports: a subject of one account under which requests go to another. Each is a subscription of the kernel itself
// (KIND_SERVICE) in the importing account, whose target is the Service.

import { alloc, allocZero, free } from '../lib/arena';
import { copy } from '../lib/bytes';
import { accountAt } from './account';
import { PREFIX_LENGTH, Response, dropResponse, printRandom } from './responses';
import { KIND_RESPONSE, KIND_SERVICE, Sub, addSub, removeSub } from './subscription';

/** More than one reply may come. */
export const MANY_REPLIES: u32 = 1;
/** The service is told who asks in detail. */
export const SHARED: u32 = 2;
/** The host hears of each request and how it ended. */
export const MEASURED: u32 = 4;
/** What is traced is traced on in the exporting account. */
export const ALLOW_TRACE: u32 = 8;

/** One imported service. */
@unmanaged
export class Service {
  /** The account that exports it: where requests go. */
  account: usize;
  /** How the subject changes, see match/mapping.ts; 0: not at all. */
  mapping: usize;
  /** The host's number of the export; a message passes the same one only once. */
  exported: u32;
  flags: u32;
  /** Its subscription. */
  sub: usize;
  /** What a request that comes through two imports says of the first: `,"svc":"<importing account>"`. */
  via: usize;
  viaLength: u32;
  firstResponse: usize;
  lastResponse: usize;
  responses: u32;
}

const SERVICE_SIZE: usize = 48;

/** Imports `subject` of account `home` from `account`; returns the Service. Both have a prefix for replies. */
export function openService(
  home: usize,
  subject: usize,
  length: u32,
  account: usize,
  mapping: usize,
  exported: u32,
  flags: u32,
  via: usize,
  viaLength: u32,
): usize {
  const block = allocZero(SERVICE_SIZE);
  const service = changetype<Service>(block);
  service.account = account;
  service.mapping = mapping;
  service.exported = exported;
  service.flags = flags;
  service.via = alloc(viaLength);
  service.viaLength = viaLength;
  copy(service.via, via, viaLength);
  const sub = addSub(home, 0, subject, length, 0, 0, 0, 0);
  sub.kind = KIND_SERVICE;
  sub.target = <u32>block;
  accountAt(home).crossings++;
  service.sub = changetype<usize>(sub);
  return block;
}

/** Ends an import; replies still awaited through it are not handed on any more. */
export function closeService(service: Service): void {
  while (service.firstResponse) dropResponse(changetype<Response>(service.firstResponse));
  removeSub(changetype<Sub>(service.sub));
  free(service.via);
  free(changetype<usize>(service));
}

/** Gives an account its prefix of one-time reply subjects, `_R_.xxxxxx.`, and listens to them. Once an account. */
export function openReplies(account: usize): void {
  const prefix = alloc(PREFIX_LENGTH + 1);
  store<u32>(prefix, 0x2e5f525f);
  printRandom(prefix + 4);
  store<u16>(prefix, 0x3e2e, PREFIX_LENGTH - 1);
  accountAt(account).replies = prefix;
  const sub = addSub(account, 0, prefix, PREFIX_LENGTH + 1, 0, 0, 0, 0);
  sub.kind = KIND_RESPONSE;
  accountAt(account).crossings++;
}
