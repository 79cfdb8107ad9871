// The system account at work: answers its requests, and those about themselves that every account may make. What it tells without being
// asked is in events.ts.

import { JsonError, parseJson } from '../../core/jetstream/parse-json.ts';
import type { CertificateFacts } from '../../core/ocsp/answer.ts';
import type { ClosedConnection, ConnectionSnapshot, EngineView, MessageTrace, ServiceMeasure } from '../../engine/snapshot.ts';
import { inSlices, turnsOf, type SliceClock } from '../../lib/in-slices.ts';
import { jsonPieces, jsonText, type JsonInput } from '../../lib/json-text.ts';
import { messageOf } from '../../lib/message-of.ts';
import type { ClaimsDoor } from '../../ports/claims.ts';
import type { Log } from '../../ports/log.ts';
import { ClaimsRequests } from './claims.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ProcessPort } from '../../ports/process.ts';
import type { Random } from '../../ports/random.ts';
import type { ServerControl, SystemDoor, SystemRequest } from '../../ports/system.ts';
import type { Document, MonitorContext } from '../monitor/context.ts';
import { BadRequest } from '../monitor/query.ts';
import { SystemEvents } from './events.ts';
import { countAsked, countForServer } from './interest.ts';
import { orders, silent, type Order } from './orders.ts';
import { accountRequests, allAccounts, serverRequests, type Answerer, type Body } from './requests.ts';
import { isMeant, serverInfo } from './server-info.ts';
import { statsz } from './statsz.ts';
import { supposedStorages, traceDocument } from './trace-document.ts';
import { userInfo } from './user-info.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface SystemServiceParts {
  readonly view: EngineView;
  readonly door: SystemDoor;
  readonly control: ServerControl;
  readonly process: ProcessPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly claims?: ClaimsDoor;
}

type Handler = (request: SystemRequest) => void;
type BodyHandler = (request: SystemRequest, body: Body) => void;
/** Subject and what answers it. */
type Route = readonly [string, Handler];
type Routes = readonly Route[];

/** A request whose document cannot be read. */
class Unreadable extends Error {}

function bodyOf({ payload, subject }: SystemRequest): Body {
  const text = decoder.decode(payload).trim();
  if (text === '') return {};
  try {
    const { kind } = parseJson(text);
    if (kind === 'object') return JSON.parse(text) as Body;
    if (kind === 'null') return {};
    throw new Unreadable(`json: cannot unmarshal ${kind} into Go value of type server.${optionsType(subject)}`);
  } catch (error) {
    if (error instanceof JsonError) throw new Unreadable(error.plain);
    throw error;
  }
}

/** What nats-server calls the options of what is asked: `JszEventOptions`. */
function optionsType(subject: string): string {
  const asked = subject.split('.').at(-1) ?? '';
  return `${asked.charAt(0)}${asked.slice(1).toLowerCase()}EventOptions`;
}

/** The account that a request names. */
function accountOf({ subject }: SystemRequest): string {
  return subject.split('.')[3] ?? '';
}

export class SystemService {
  readonly #parts: SystemServiceParts;
  readonly #context: MonitorContext;
  readonly #slices: SliceClock;
  readonly #open = new Map<string, { cancel(): void }[]>();
  #claims: ClaimsRequests | undefined;
  readonly #events: SystemEvents;
  #seq = 0;
  #isStopped = false;

  constructor(parts: SystemServiceParts) {
    this.#parts = parts;
    this.#slices = turnsOf(parts.clock);
    this.#context = { view: parts.view, process: parts.process, requests: new Map(), slices: this.#slices };
    this.#events = new SystemEvents(parts, this.#context, () => ++this.#seq);
  }

  start(): void {
    this.reload();
    this.#openClaims();
    this.#events.start();
  }

  /** Listens in accounts that are new, and no longer in those that are gone. */
  reload(): void {
    const accounts = this.#parts.view.accountNames();
    const names = new Set(accounts.map(({ name }) => name));
    for (const [name, subscriptions] of this.#open) {
      if (names.has(name)) continue;
      for (const subscription of subscriptions) subscription.cancel();
      this.#open.delete(name);
    }
    for (const { name, system } of accounts) {
      if (this.#open.has(name)) continue;
      const handlers = [...this.#own(), ...(system ? this.#system() : [])];
      const listen = ([subject, handler]: Route) =>
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
      unique: () => this.#events.unique(),
      peers: () => view.server().routes,
    });
    this.#claims.start();
  }

  stop(): void {
    this.#isStopped = true;
    this.#claims?.stop();
    this.#events.stop();
    for (const subscriptions of this.#open.values()) for (const subscription of subscriptions) subscription.cancel();
    this.#open.clear();
  }

  /** The server will close, after clients have had time to go elsewhere. */
  lameDuck(): void {
    this.#events.lameDuck();
  }

  shutdown(): void {
    this.#events.shutdown();
  }

  joined(connection: ConnectionSnapshot): void {
    this.#events.joined(connection);
  }

  left(connection: ClosedConnection): void {
    this.#events.left(connection);
  }

  /** What would be stored is told of traces that store nothing. */
  traced(trace: MessageTrace): void {
    const { view, door } = this.#parts;
    const whole = trace.only ? { ...trace, storages: supposedStorages(trace, view) } : trace;
    const document = traceDocument(whole, serverInfo(view.server(), ++this.#seq));
    door.publish(trace.account, trace.destination, encoder.encode(jsonText(document)));
  }

  linkInvalid(peer: CertificateFacts, link: CertificateFacts, reason: string): void {
    this.#events.linkInvalid(peer, link, reason);
  }

  peerRejected(peer: CertificateFacts, reason: string): void {
    this.#events.peerRejected(peer, reason);
  }

  measured(measure: ServiceMeasure): void {
    this.#events.measured(measure);
  }

  /** What clients of any account may ask about themselves. */
  #own(): Routes {
    const ofAccount = (answerer: Answerer | undefined): Handler =>
      this.#filtered((request, body) => this.#answer(request, () => answerer?.(this.#context, body, request.account)));
    return [
      ['$SYS.REQ.USER.INFO', (request) => this.#answer(request, () => userInfo(request))],
      ['$SYS.REQ.ACCOUNT.PING.CONNZ', ofAccount(accountRequests['CONNZ'])],
      ['$SYS.REQ.ACCOUNT.PING.STATZ', this.#filtered((request, body) => this.#statistics(request, body))],
      ['$SYS.REQ.SERVER.PING.CONNZ', this.#filtered((request, body) => this.#connections(request, body))],
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

  #system(): Routes {
    const { id } = this.#parts.view.server();
    const server = ([name, answerer]: readonly [string, Answerer]): Routes => {
      const handler = this.#filtered((request, body) => this.#answer(request, () => answerer(this.#context, body, '')));
      const all: Routes = name === 'CONNZ' ? [] : [[`$SYS.REQ.SERVER.PING.${name}`, handler]];
      return [[`$SYS.REQ.SERVER.${id}.${name}`, handler], ...all];
    };
    const load = this.#filtered((request) => this.#send(request, { statsz: statsz(this.#parts.view, this.#parts.process) }));
    const who: Handler = (request) => this.#reply(request, this.#identity());
    return [
      ['$SYS.REQ.SERVER.PING', load],
      ['$SYS.REQ.SERVER.PING.STATSZ', load],
      [`$SYS.REQ.SERVER.${id}.STATSZ`, load],
      ['$SYS.REQ.SERVER.PING.IDZ', who],
      [`$SYS.REQ.SERVER.${id}.IDZ`, who],
      ...Object.entries(serverRequests).flatMap(server),
      ...Object.entries(orders).map(([name, order]): Route => [`$SYS.REQ.SERVER.${id}.${name}`, this.#order(order)]),
      ...Object.entries(accountRequests).map(([name, answerer]): Route => [
        `$SYS.REQ.ACCOUNT.*.${name}`,
        this.#filtered((request, body) => this.#ofAccount(request, body, answerer)),
      ]),
      ...this.#amongServers(),
    ];
  }

  /** What servers ask each other, answered without who answers; what cannot be read is passed over. */
  #amongServers(): Routes {
    const { view } = this.#parts;
    return [
      [
        '$SYS.DEBUG.SUBSCRIBERS',
        (request) => this.#reply(request, countAsked(view, request.account, decoder.decode(request.payload))),
      ],
      [
        '$SYS.REQ.ACCOUNT.NSUBS',
        this.#readable((request, body) => {
          const count = countForServer(view, body);
          if (count !== undefined) this.#reply(request, count);
        }),
      ],
      [
        '$SYS.REQ.ACCOUNT.*.CONNS',
        this.#readable((request, body) => {
          const name = accountOf(request);
          const account = view.accounts().find((one) => one.name === name);
          if (account === undefined || account.clientConnections === 0 || (body['acc'] ?? name) !== name) return;
          this.#reply(request, this.#events.connectionsOf(name));
        }),
      ],
    ];
  }

  /** An order that needs a document and has none, or one that cannot be read, is passed over. */
  #order({ named, carryOut }: Order): Handler {
    const handler = this.#filtered((request, body) => {
      const refused = carryOut(this.#parts.control, body);
      if (refused === silent) return;
      this.#send(request, refused === undefined ? {} : { error: { code: 500, description: refused } });
    });
    if (!named) return handler;
    return this.#readable((request) => {
      if (request.payload.length > 0) handler(request);
    });
  }

  /** Answers what it cannot read with an error, and passes over what means another server. */
  #filtered(handler: BodyHandler): Handler {
    return (request) => {
      const body = bodyOf(request);
      if (isMeant(body, this.#parts.view.server())) handler(request, body);
    };
  }

  /** Passes over what it cannot read. */
  #readable(handler: BodyHandler): Handler {
    return (request) => {
      try {
        handler(request, bodyOf(request));
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
      }
    };
  }

  /** `PING` is no account here; those subjects have handlers of their own. */
  #ofAccount(request: SystemRequest, body: Body, answerer: Answerer): void {
    const account = accountOf(request);
    if (account !== 'PING') this.#answer(request, () => answerer(this.#context, body, account));
  }

  #identity(): Document {
    const { id, name, options } = this.#parts.view.server();
    return { name, host: options.host, id };
  }

  #receive(request: SystemRequest, handler: Handler): void {
    if (request.reply === '') return;
    try {
      handler(request);
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

  /** At once, unless the document is long: others get their turns while it is written. */
  #reply({ account, reply }: SystemRequest, document: JsonInput): void {
    const pieces: string[] = [];
    const publish = (): void => this.#parts.door.publish(account, reply, encoder.encode(pieces.join('')));
    const writing = inSlices(jsonPieces(document), (piece) => pieces.push(piece), this.#slices);
    if (writing === undefined) return publish();
    writing.then(
      () => this.#isStopped || publish(),
      (error: unknown) => this.#parts.log.error(`No answer to ${reply}: ${messageOf(error)}`),
    );
  }
}
