// A server's life: start, reload, lame duck, stop. It ties the broker, the sessions, the listeners and JetStream together and owns nothing
// process-wide, so that several servers live in one process.

import { isTrusting } from '../../core/account/registry.ts';
import { compileImports, tracedAccounts } from '../../core/account/imports.ts';
import { GLOBAL_ACCOUNT, type Options } from '../../core/config/options.ts';
import { isRefusal } from '../../core/session/reasons.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Clock, Instant } from '../../ports/clock.ts';
import type { Crypto, ServerKeys } from '../../ports/crypto.ts';
import type { Listeners } from '../../ports/listen.ts';
import type { Log } from '../../ports/log.ts';
import type { HandshakeStatus, OcspPort } from '../../ports/ocsp.ts';
import type { Random } from '../../ports/random.ts';
import { Broker } from '../broker/broker.ts';
import type { TraceEvents } from '../broker/kernel-events.ts';
import { LameDuck } from '../listen/lame-duck.ts';
import { OpenListeners } from '../listen/listeners.ts';
import { Ocsp } from '../ocsp/ocsp.ts';
import type { ServerIdentity } from '../session/server-info.ts';
import type { AccountSource } from '../trust/account-source.ts';
import { CalloutService } from '../trust/callout-service.ts';
import type { KnownAccount } from '../trust/trusted-accounts.ts';
import { OperatorMode } from '../trust/operator-mode.ts';
import { Sessions } from '../session/sessions.ts';
import type { JetStreamSnapshot, ListenAddress, ListeningSnapshot, OcspCacheSnapshot } from '../snapshot.ts';
import { Control, type Reload } from './server-control.ts';
import type { JetStreamLife, JetStreamMaker } from './jetstream-life.ts';
import { setMappers } from './mappers.ts';
import { endAll } from './shutdown.ts';
import { BrokerSystemDoor } from './system-door.ts';
import type { SystemLife, SystemMaker } from './system-life.ts';
import { ServerView } from './view.ts';
import type { ServerFacts } from './view.ts';

export interface ServerParts {
  readonly kernel: Kernel;
  readonly identity: ServerIdentity;
  readonly keys: ServerKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly listeners: Listeners;
  readonly ocsp: OcspPort;
  /** Text shown where nats-server names its Go release. */
  readonly runtime: string;
  /** Asked for once, when the options turn JetStream on. */
  readonly makeJetStream: JetStreamMaker;
  /** Where signed accounts come from; set where operators are trusted. */
  readonly accountSource?: AccountSource;
  /** Asked for once, unless there is no system account. */
  readonly makeSystem: SystemMaker;
}

export class Server implements ServerFacts {
  readonly broker: Broker;
  readonly sessions: Sessions;
  readonly view: ServerView;
  readonly start: Instant;
  readonly runtime: string;
  readonly #parts: ServerParts;
  readonly #listeners: OpenListeners;
  readonly #ocsp: Ocsp;
  readonly #lameDuck: LameDuck;
  readonly #trust: OperatorMode | undefined;
  /** As configured. */
  #configured: Options;
  /** With the accounts that operators have signed. */
  readonly #control: Control;
  #options: Options;
  #configLoadTime: Instant;
  #jetstream: JetStreamLife | undefined;
  #system: SystemLife | undefined;
  #monitoring: Pick<ListeningSnapshot, 'http' | 'https'> = {};
  #ready = false;
  #stopping: Promise<void> | undefined;
  #end: () => void = () => void this.stop();

  constructor(options: Options, parts: ServerParts) {
    const { kernel, identity, clock, random, crypto, log, listeners } = parts;
    this.#parts = parts;
    this.#configured = options;
    this.#options = options;
    this.runtime = parts.runtime;
    this.start = clock.wallInstant();
    this.#configLoadTime = this.start;
    this.broker = new Broker(kernel, options, { clock, log, serverName: identity.serverName });
    this.sessions = new Sessions(options, identity, { clock, random, crypto, log, turn: (work) => this.broker.turn(work) });
    this.#trust = this.#operatorMode(options);
    this.sessions.callout = new CalloutService({
      broker: this.broker,
      identity,
      keys: parts.keys,
      clock,
      random,
      tokens: crypto.tokens,
      options: () => this.#options,
    });
    const view = new ServerView(this.broker, this.sessions, identity, this);
    this.view = view;
    this.broker.serve(this.sessions, (connection, reason) => view.connectionGone(connection, reason));
    this.#ocsp = new Ocsp({
      port: parts.ocsp,
      clock,
      log,
      events: {
        linkInvalid: (peer, link, reason) => this.broker.turn(() => this.#system?.linkInvalid(peer, link, reason)),
        peerRejected: (peer, reason) => this.broker.turn(() => this.#system?.peerRejected(peer, reason)),
      },
      end: () => this.#end(),
    });
    this.#listeners = new OpenListeners({
      listeners,
      acceptor: this.broker,
      inbound: kernel.inbound,
      identity,
      sessions: this.sessions,
      clock,
      log,
      status: this.#ocsp,
    });
    this.#control = new Control(this.sessions);
    this.#lameDuck = new LameDuck({ clock, random, log, sessions: this.sessions, listeners: this.#listeners });
  }

  get identity(): ServerIdentity {
    return this.#parts.identity;
  }

  get options(): Options {
    return this.#options;
  }

  /** What a reload is compared with. */
  get configured(): Options {
    return this.#configured;
  }

  get ready(): boolean {
    return this.#ready;
  }

  get configLoadTime(): Instant {
    return this.#configLoadTime;
  }

  get tlsCertificateNotAfter(): Instant | undefined {
    const ms = this.#listeners.certificateNotAfterMs;
    return ms === undefined ? undefined : { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 };
  }

  get listening(): ListeningSnapshot {
    const { client, websocket, leafnodes } = this.#listeners;
    const address = ({ host, port }: ListenAddress): ListenAddress => ({ host, port });
    return {
      ...(client === undefined ? {} : { client: address(client) }),
      ...(websocket === undefined ? {} : { websocket: address(websocket) }),
      ...(leafnodes === undefined ? {} : { leafnodes: address(leafnodes) }),
      ...this.#monitoring,
    };
  }

  /** For listeners that others open. */
  get status(): HandshakeStatus {
    return this.#ocsp;
  }

  get ocspCache(): OcspCacheSnapshot | undefined {
    return this.#ocsp.cacheSnapshot;
  }

  jetstream(): JetStreamSnapshot | undefined {
    return this.#jetstream?.snapshot();
  }

  signedAccount(name: string): KnownAccount | undefined {
    return this.#trust?.accounts.get(name);
  }

  /** The monitoring listener is the app's; the server only tells where it is. */
  monitoringAt(addresses: Pick<ListeningSnapshot, 'http' | 'https'>): void {
    this.#monitoring = addresses;
  }

  /** How the system account's order to reload is carried out. */
  reloadBy(reload: Reload): void {
    this.#control.reload = reload;
  }

  /** How the server ends when it must by itself. */
  endBy(end: () => void): void {
    this.#end = end;
  }

  traceTo(trace: TraceEvents): void {
    this.broker.events.toTrace(trace);
  }

  /** Recovers JetStream, then opens the listeners. Rejects with one clear line when something cannot be had; then nothing is open. */
  async open(): Promise<void> {
    try {
      await this.#openAll();
    } catch (error) {
      await this.#jetstream?.stop();
      this.#letGo();
      throw error;
    }
    this.#ready = true;
    this.#parts.log.info('Server is ready');
  }

  async #openAll(): Promise<void> {
    await this.#ocsp.open(this.#configured);
    await this.#trust?.open(this.#configured);
    this.#setAccounts();
    if (this.#options.jetstream.enabled) {
      const { identity, makeJetStream } = this.#parts;
      this.#jetstream = await makeJetStream({
        options: this.#options,
        identity,
        broker: this.broker,
        sessions: this.sessions,
      });
    }
    await this.#wakeStoredAccounts();
    await this.#jetstream?.start();
    this.#openSystem();
    await this.#listeners.open(this.#options);
  }

  /** Takes options that a reload may take; whoever calls has checked that. Throws when new certificates cannot be read, and changes nothing then. */
  reload(options: Options): void {
    this.#listeners.reload(options);
    this.#configured = options;
    this.#options = this.#trust?.over(options) ?? options;
    this.#configLoadTime = this.#parts.clock.wallInstant();
    this.broker.turn(() => {
      this.broker.reload(this.#options);
      this.sessions.reload(this.#options);
      this.#setAccounts();
      void this.#jetstream?.reload(this.#options);
      this.#system?.reload();
    });
    void this.#trust?.reload(options);
    void this.#ocsp.reload(options);
  }

  #operatorMode(options: Options): OperatorMode | undefined {
    const { accountSource, clock, log, crypto } = this.#parts;
    if (accountSource === undefined || !isTrusting(options)) return undefined;
    const trust = new OperatorMode(options, accountSource, { clock, log, tokens: crypto.tokens }, (names) =>
      this.#accountsChanged(names),
    );
    this.sessions.trust = trust.accounts;
    return trust;
  }

  /** Signed accounts have come, changed or run out. */
  async #accountsChanged(names: ReadonlySet<string>): Promise<void> {
    const { accounts } = this.#trust ?? {};
    if (accounts === undefined) return;
    this.#options = { ...this.#configured, accounts: accounts.options() };
    this.sessions.accounts.reload(this.#options);
    const ready = this.broker.turn(() => {
      this.#setAccounts();
      this.#system?.reload();
      this.sessions.review(names, (name) => accounts.get(name));
      return this.#jetstream?.reload(this.#options);
    });
    await ready;
  }

  /** Streams of signed accounts work from the start, not only when the first client comes. */
  async #wakeStoredAccounts(): Promise<void> {
    const stored = this.#trust === undefined ? [] : (this.#jetstream?.storedAccounts() ?? []);
    await Promise.all(stored.map(async (name) => this.#trust?.accounts.lookup(name)));
  }

  /** Nobody is told of clients of the global account, as in nats-server. */
  #openSystem(): void {
    if (this.view.systemAccount === undefined) return;
    const system = this.#parts.makeSystem({
      view: this.view,
      door: new BrokerSystemDoor(this.broker),
      control: this.#control,
      ...(this.#trust && { claims: this.#trust.desk }),
    });
    this.#system = system;
    this.broker.watch((connection) => {
      if (connection.account?.name === GLOBAL_ACCOUNT || !this.#isHeard()) return;
      this.broker.soon(() => {
        if (this.broker.at(connection.index) === connection) system.joined(this.view.connection(connection));
      });
    });
    this.view.onGone = (record) => {
      const isTold = isRefusal(record.reason) || (record.account !== GLOBAL_ACCOUNT && this.#isHeard());
      if (isTold) this.broker.soon(() => system.left(record));
    };
    this.broker.traces.start(this.#parts.random, (trace) => system.traced(trace));
    this.broker.measures.start(this.#parts.random, (measure) => system.measured(measure));
    system.start();
  }

  /** Whether anybody may listen to events: a client in the system account, or one of an account that imports from it. */
  #isHeard(): boolean {
    const { kernel, accounts, imports } = this.broker;
    const name = this.view.systemAccount ?? '';
    return kernel.exports.accountSubs(accounts.get(name).handle) > 0 || imports.from(name);
  }

  /** What accounts do with subjects: mappings, and imports from each other. */
  #setAccounts(): void {
    const isOther = this.broker.imports.set(compileImports(this.#options.accounts).accounts);
    this.broker.traces.setAccounts(tracedAccounts(this.#options));
    if (isOther) for (const connection of this.broker.connections()) connection.describe();
    setMappers(this.sessions.accounts, this.broker.accounts, this.#options.cluster?.name ?? '', this.#parts.random);
  }

  get inLameDuck(): boolean {
    return this.#lameDuck.started;
  }

  /** Sends clients away over the lame duck period, then stops. */
  async lameDuck(): Promise<void> {
    this.#ready = false;
    const inLameDuck = this.inLameDuck;
    const ended = this.#lameDuck.start(this.#options);
    if (!inLameDuck) this.broker.turn(() => this.#system?.lameDuck());
    await ended;
    await this.stop();
  }

  /**
   * Graceful stop: no new clients, everything acknowledged is on disk, clients are closed; a lame duck waits no longer. Repeated calls share
   * one stop. Rejects when JetStream could not be stopped; everything else is then.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { log, clock } = this.#parts;
    log.info('Initiating Shutdown...');
    this.#ready = false;
    this.#lameDuck.cutShort();
    this.broker.turn(() => this.#system?.shutdown());
    await this.#listeners.stopAccepting();
    this.broker.stopListening();
    try {
      await this.#jetstream?.stop();
    } finally {
      await endAll(this.sessions, () => this.broker.unfinishedConnections, clock);
      this.#letGo();
    }
    log.info('Server Exiting..');
  }

  /** Ends what goes on by itself. */
  #letGo(): void {
    this.#system?.stop();
    this.#trust?.stop();
    this.#ocsp.stop();
    this.broker.stop();
  }
}
