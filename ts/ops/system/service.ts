// The system account at work: answers its requests, and those about themselves that every account may make; tells of clients that come and go,
// and of the server's load.
// Kept true: an event is made only when somebody listens to it.

import { JsonError, parseJson } from '../../core/jetstream/parse-json.ts';
import type { Permissions } from '../../core/auth/permissions.ts';
import type { ClosedConnection, ConnectionSnapshot, EngineView } from '../../engine/snapshot.ts';
import { jsonText } from '../../lib/json-text.ts';
import type { ClaimsDoor } from '../../ports/claims.ts';
import type { Log } from '../../ports/log.ts';
import { ClaimsRequests } from './claims.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { ProcessPort } from '../../ports/process.ts';
import type { Random } from '../../ports/random.ts';
import type { SystemDoor, SystemRequest } from '../../ports/system.ts';
import { instantText, unlessEmpty, type Document, type MonitorContext } from '../monitor/context.ts';
import { BadRequest } from '../monitor/query.ts';
import { accountRequests, allAccounts, serverRequests, type Answerer, type Body } from './requests.ts';
import { isMeant, serverInfo } from './server-info.ts';
import { statsz } from './statsz.ts';

/** How often the server tells its load. */
const STATSZ_MS = 10_000;
const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface SystemServiceParts {
  readonly view: EngineView;
  readonly door: SystemDoor;
  readonly process: ProcessPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly claims?: ClaimsDoor;
}

type Handler = (request: SystemRequest, body: Body) => void;

/** A request whose document cannot be read. */
class Unreadable extends Error {}

function bodyOf(payload: Uint8Array): Body {
  const text = decoder.decode(payload).trim();
  if (text === '') return {};
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw new Unreadable(error.message.replace(/ at offset \d+$/, ''));
    throw error;
  }
  const value = JSON.parse(text) as unknown;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : {};
}

export class SystemService {
  readonly #parts: SystemServiceParts;
  readonly #context: MonitorContext;
  readonly #open = new Map<string, { cancel(): void }[]>();
  #beat: Timer | undefined;
  #claims: ClaimsRequests | undefined;
  #seq = 0;

  constructor(parts: SystemServiceParts) {
    this.#parts = parts;
    this.#context = { view: parts.view, process: parts.process, requests: new Map() };
  }

  start(): void {
    this.reload();
    this.#openClaims();
    this.#beat = this.#parts.clock.every(STATSZ_MS, () => this.#tellLoad());
  }

  /** Listens in accounts that are new, and no longer in those that are gone. */
  reload(): void {
    const accounts = this.#parts.view.accounts();
    for (const [name, subscriptions] of this.#open) {
      if (accounts.some((account) => account.name === name)) continue;
      for (const subscription of subscriptions) subscription.cancel();
      this.#open.delete(name);
    }
    for (const { name, system } of accounts) {
      if (this.#open.has(name)) continue;
      const handlers = [...this.#own(), ...(system ? this.#system() : [])];
      const listen = ([subject, handler]: readonly [string, Handler]) =>
        this.#parts.door.subscribe(name, subject, (request) => this.#receive(request, handler));
      this.#open.set(name, handlers.map(listen));
    }
  }

  #openClaims(): void {
    const { claims, view, door, clock, log } = this.#parts;
    const account = view.server().systemAccount;
    if (claims === undefined || account === undefined) return;
    this.#claims = new ClaimsRequests({
      door,
      claims,
      clock,
      log,
      account,
      server: () => serverInfo(view.server(), ++this.#seq),
      unique: () => this.#unique(),
      peers: () => view.server().routes,
    });
    this.#claims.start();
  }

  stop(): void {
    this.#claims?.stop();
    this.#beat?.cancel();
    for (const subscriptions of this.#open.values()) for (const subscription of subscriptions) subscription.cancel();
    this.#open.clear();
  }

  /** What clients of any account may ask about themselves. */
  #own(): (readonly [string, Handler])[] {
    const ofAccount = (answerer: Answerer | undefined): Handler => {
      return (request, body) => this.#answer(request, () => answerer?.(this.#context, body, request.account));
    };
    return [
      ['$SYS.REQ.USER.INFO', (request) => this.#answer(request, () => userInfo(request))],
      ['$SYS.REQ.ACCOUNT.PING.CONNZ', ofAccount(accountRequests['CONNZ'])],
      ['$SYS.REQ.ACCOUNT.PING.STATZ', (request, body) => this.#statistics(request, body)],
      ['$SYS.REQ.SERVER.PING.CONNZ', (request, body) => this.#connections(request, body)],
    ];
  }

  /** The system account hears of all accounts, others of themselves. */
  #statistics(request: SystemRequest, body: Body): void {
    const answerer = this.#isSystem(request.account) ? allAccounts : accountRequests['STATZ'];
    this.#answer(request, () => answerer?.(this.#context, body, request.account));
  }

  #connections(request: SystemRequest, body: Body): void {
    const account = this.#isSystem(request.account) ? '' : request.account;
    this.#answer(request, () => accountRequests['CONNZ']?.(this.#context, body, account));
  }

  #isSystem(account: string): boolean {
    return this.#parts.view.server().systemAccount === account;
  }

  #system(): (readonly [string, Handler])[] {
    const { id } = this.#parts.view.server();
    const server = ([name, answerer]: readonly [string, Answerer]): (readonly [string, Handler])[] => {
      const handler: Handler = (request, body) => this.#answer(request, () => answerer(this.#context, body, ''));
      const all = name === 'CONNZ' ? [] : [[`$SYS.REQ.SERVER.PING.${name}`, this.#filtered(handler)] as const];
      return [[`$SYS.REQ.SERVER.${id}.${name}`, handler], ...all];
    };
    const account = ([name, answerer]: readonly [string, Answerer]): readonly [string, Handler] => [
      `$SYS.REQ.ACCOUNT.*.${name}`,
      (request, body) => this.#ofAccount(request, body, answerer),
    ];
    const load: Handler = (request) => this.#send(request, { statsz: statsz(this.#parts.view, this.#parts.process) });
    const who: Handler = (request) => this.#reply(request, this.#identity());
    return [
      ['$SYS.REQ.SERVER.PING', this.#filtered(load)],
      ['$SYS.REQ.SERVER.PING.STATSZ', this.#filtered(load)],
      [`$SYS.REQ.SERVER.${id}.STATSZ`, load],
      ['$SYS.REQ.SERVER.PING.IDZ', this.#filtered(who)],
      [`$SYS.REQ.SERVER.${id}.IDZ`, who],
      ...Object.entries(serverRequests).flatMap(server),
      ...Object.entries(accountRequests).map(account),
    ];
  }

  #filtered(handler: Handler): Handler {
    return (request, body) => {
      if (isMeant(body, this.#parts.view.server())) handler(request, body);
    };
  }

  /** `PING` is no account here; those subjects have handlers of their own. */
  #ofAccount(request: SystemRequest, body: Body, answerer: Answerer): void {
    const account = request.subject.split('.')[3] ?? '';
    if (account !== 'PING') this.#answer(request, () => answerer(this.#context, body, account));
  }

  #identity(): Document {
    const { id, name, options } = this.#parts.view.server();
    return { name, host: options.host, id };
  }

  #receive(request: SystemRequest, handler: Handler): void {
    if (request.reply === '') return;
    try {
      handler(request, bodyOf(request.payload));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.#send(request, { error: { code: 400, description: error.message } });
    }
  }

  #answer(request: SystemRequest, make: () => Document | undefined): void {
    try {
      const data = make();
      if (data !== undefined) this.#send(request, { data });
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      this.#send(request, { data: null, error: { code: 500, description: error.message } });
    }
  }

  #send(request: SystemRequest, document: Document): void {
    this.#reply(request, { server: serverInfo(this.#parts.view.server(), ++this.#seq), ...document });
  }

  #reply({ account, reply }: SystemRequest, document: Document): void {
    this.#parts.door.publish(account, reply, encoder.encode(jsonText(document)));
  }

  #unique(): string {
    return Array.from({ length: 22 }, () => letters[this.#parts.random.below(letters.length)]).join('');
  }

  // Events

  #tell(subject: string, make: () => Document): void {
    const { view, door } = this.#parts;
    const account = view.server().systemAccount;
    if (account === undefined || !door.listens(account, subject)) return;
    door.publish(account, subject, encoder.encode(jsonText(make())));
  }

  #tellLoad(): void {
    const { view, process } = this.#parts;
    this.#tell(`$SYS.SERVER.${view.server().id}.STATSZ`, () => ({
      server: serverInfo(view.server(), ++this.#seq),
      statsz: statsz(view, process),
    }));
  }

  /** Head of an advisory. */
  #advisory(kind: string): Document {
    const server = this.#parts.view.server();
    const id = this.#unique();
    const type = `io.nats.server.advisory.v1.${kind}`;
    return { type, id, timestamp: instantText(server.now), server: serverInfo(server, ++this.#seq) };
  }

  joined(connection: ConnectionSnapshot): void {
    const { account = '' } = connection;
    this.#tellConnections(account);
    this.#tell(`$SYS.ACCOUNT.${account}.CONNECT`, () => ({
      ...this.#advisory('client_connect'),
      client: clientOf({ ...connection, rttMs: 0 }),
    }));
  }

  left(connection: ClosedConnection): void {
    const { account, inMsgs, inBytes, outMsgs, outBytes, reason } = connection;
    if (account === undefined) return;
    this.#tellConnections(account);
    this.#tell(`$SYS.ACCOUNT.${account}.DISCONNECT`, () => ({
      ...this.#advisory('client_disconnect'),
      client: clientOf(connection, instantText(connection.stop)),
      sent: { msgs: inMsgs, bytes: inBytes },
      received: { msgs: outMsgs, bytes: outBytes },
      reason,
    }));
  }

  #tellConnections(account: string): void {
    const statistics = (): Document => {
      const document = accountRequests['STATZ']?.(this.#context, { include_unused: true }, account);
      const [row] = (document?.['account_statz'] ?? []) as readonly Document[];
      return { ...this.#advisory('account_connections'), ...row };
    };
    for (const subject of [`$SYS.SERVER.ACCOUNT.${account}.CONNS`, `$SYS.ACCOUNT.${account}.SERVER.CONNS`])
      this.#tell(subject, statistics);
  }
}

function clientOf(connection: ConnectionSnapshot, stop?: string): Document {
  const { start, ip, cid, account, authorizedUser, name, lang, version, rttMs, kind, type } = connection;
  return {
    start: instantText(start),
    host: ip,
    id: cid,
    acc: account,
    user: unlessEmpty(authorizedUser),
    name: unlessEmpty(name),
    lang: unlessEmpty(lang),
    ver: unlessEmpty(version),
    rtt: unlessEmpty(Math.round((rttMs ?? 0) * 1e6)),
    stop,
    name_tag: account,
    kind,
    client_type: type,
  };
}

function userInfo({ account, client }: SystemRequest): Document {
  const permissions = client?.permissions;
  return {
    user: client?.user ?? '',
    account,
    account_name: account,
    permissions: permissions === undefined ? undefined : permissionsDocument(permissions),
  };
}

function permissionsDocument({
  publishAllow,
  publishDeny,
  subscribeAllow,
  subscribeDeny,
  responses,
}: Permissions): Document | undefined {
  const subject = ({ subject: own, queue }: { subject: string; queue: string | undefined }): string =>
    queue === undefined ? own : `${own} ${queue}`;
  const lists = (allow: readonly string[] | undefined, deny: readonly string[]): Document | undefined =>
    unlessEmpty({ ...(allow?.length ? { allow } : {}), ...(deny.length > 0 ? { deny } : {}) });
  return unlessEmpty({
    publish: lists(publishAllow, publishDeny),
    subscribe: lists(subscribeAllow?.map(subject), subscribeDeny.map(subject)),
    responses: responses && { max: responses.maxMsgs, ttl: Math.round(responses.expiresMs * 1e6) },
  });
}
