// Requests of the system account about JWTs of accounts, as `nsc push`, `nsc pull` and other servers make them. A directory that keeps all
// accounts compares itself with those of other servers now and then.

import { jsonText } from '../../lib/json-text.ts';
import type { ClaimsAnswer, ClaimsDoor, ClaimsStore } from '../../ports/claims.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { SystemDoor, SystemRequest } from '../../ports/system.ts';
import type { Document } from '../monitor/context.ts';
import { messageOf } from '../../lib/message-of.ts';

export interface ClaimsParts {
  readonly door: SystemDoor;
  readonly claims: ClaimsDoor;
  readonly clock: Clock;
  readonly log: Log;
  /** The system account. */
  readonly account: string;
  /** The head of a document. */
  server(): Document;
  /** Part of a reply subject of this server. */
  unique(): string;
  /** How many other servers hear what the system account says. */
  peers(): number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const nothing = new Uint8Array(0);

const DONE = 200;
const FAILED = 500;

export class ClaimsRequests {
  readonly #parts: ClaimsParts;
  readonly #open: { cancel(): void }[] = [];
  #compare: Timer | undefined;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  start(): void {
    const { claims, clock, account, door } = this.#parts;
    const { store } = claims;
    this.#listen('$SYS.ACCOUNT.*.CLAIMS.UPDATE', (request) => this.#update(request, request.subject.split('.')[2]));
    this.#listen('$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE', (request) => this.#update(request, request.subject.split('.')[3]));
    if (store === undefined) return;
    this.#listen('$SYS.REQ.CLAIMS.UPDATE', (request) => this.#update(request, undefined));
    this.#listen('$SYS.REQ.CLAIMS.LIST', (request) => this.#list(request, store));
    this.#listen('$SYS.REQ.CLAIMS.DELETE', (request) => this.#answer(request, store.delete(decoder.decode(request.payload))));
    store.ask = (key) => this.#ask(key, store.timeoutMs);
    if (store.kind !== 'full') return;
    this.#listen('$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP', (request) => this.#lookup(request, store));
    this.#listen('$SYS.REQ.CLAIMS.PACK', (request) => this.#pack(request, store), 'responder');
    const inbox = `$SYS._INBOX.${this.#parts.unique()}`;
    this.#listen(inbox, ({ payload }) => this.#merge(payload, store));
    if (store.intervalMs > 0)
      this.#compare = clock.every(store.intervalMs, () => door.publish(account, '$SYS.REQ.CLAIMS.PACK', store.hash, inbox));
  }

  stop(): void {
    this.#compare?.cancel();
    for (const subscription of this.#open) subscription.cancel();
  }

  #listen(subject: string, call: (request: SystemRequest) => void, queue = ''): void {
    const { door, account } = this.#parts;
    this.#open.push(door.subscribe(account, subject, call, queue));
  }

  #update(request: SystemRequest, key: string | undefined): void {
    this.#answer(request, this.#parts.claims.update(key, decoder.decode(request.payload)));
  }

  #answer({ reply }: SystemRequest, { account, message, problem }: ClaimsAnswer): void {
    const { log } = this.#parts;
    const about = account === '' ? '' : ` - ${account}`;
    if (problem === undefined) log.debug(`${message}${about}`);
    else log.error(`${message}${about} - ${problem}`);
    const named = account === '' ? undefined : account;
    this.#reply(reply, {
      server: this.#parts.server(),
      ...(problem === undefined
        ? { data: { account: named, code: DONE, message } }
        : { error: { account: named, code: FAILED, description: `${message} - ${problem}` } }),
    });
  }

  #list({ reply }: SystemRequest, store: ClaimsStore): void {
    this.#reply(reply, { data: store.all().map(([key]) => key), server: this.#parts.server() });
  }

  #reply(reply: string, document: Document): void {
    this.#send(reply, encoder.encode(jsonText(document)));
  }

  #send(reply: string, payload: Uint8Array): void {
    const { door, account } = this.#parts;
    if (reply !== '') door.publish(account, reply, payload);
  }

  /** Empty: there is none. */
  #lookup({ subject, reply }: SystemRequest, store: ClaimsStore): void {
    this.#send(reply, encoder.encode(store.lookup(subject.split('.')[3] ?? '') ?? ''));
  }

  /** One message for each account, unless the other server has the same; an empty one at the end. */
  #pack({ reply, payload }: SystemRequest, store: ClaimsStore): void {
    const ours = store.hash;
    const isSame = payload.length === ours.length && payload.every((byte, at) => byte === ours[at]);
    if (!isSame) for (const [key, jwt] of store.all()) this.#send(reply, encoder.encode(`${key}|${jwt}`));
    this.#send(reply, nothing);
  }

  #merge(payload: Uint8Array, store: ClaimsStore): void {
    if (payload.length === 0) return;
    try {
      store.merge(decoder.decode(payload));
    } catch (error) {
      const text = messageOf(error);
      this.#parts.log.error(`DirResolver - Merging resulted in error: ${text}`);
    }
  }

  /** Asks the other servers for an account; the first that has it answers with its JWT, the others with nothing. */
  #ask(key: string, timeoutMs: number): Promise<string> {
    const { door, account, clock, unique, peers } = this.#parts;
    if (peers() === 0) return Promise.reject(new Error('account jwt not found'));
    const inbox = `$SYS._INBOX.${unique()}`;
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        timer.cancel();
        subscription.cancel();
        settle();
      };
      const timer = clock.after(timeoutMs, () => end(() => reject(new Error('fetching jwt timed out'))));
      const subscription = door.subscribe(account, inbox, ({ payload }) => {
        if (payload.length > 0) end(() => resolve(decoder.decode(payload)));
      });
      door.publish(account, `$SYS.REQ.ACCOUNT.${key}.CLAIMS.LOOKUP`, nothing, inbox);
    });
  }
}
