// The running server as monitoring sees it: implements EngineView from the broker, the sessions and the kernel's counters.

import { accountProblems } from '../../core/jwt/check-claims.ts';
import type { Options } from '../../core/config/options.ts';
import type { CloseReason } from '../../core/session/reasons.ts';
import { closeReasons } from '../../core/session/reasons.ts';
import type { Instant } from '../../ports/clock.ts';
import type { Broker } from '../broker/broker.ts';
import { MOST_REMEMBERED } from '../broker/client.ts';
import type { ClientConnection } from '../broker/client.ts';
import type { ServerIdentity } from '../session/server-info.ts';
import type { Sessions } from '../session/sessions.ts';
import type { KnownAccount } from '../trust/trusted-accounts.ts';
import type {
  AccountName,
  AccountSnapshot,
  ClosedConnection,
  ConnectionSnapshot,
  EngineView,
  JetStreamSnapshot,
  ListeningSnapshot,
  MatcherStats,
  OcspCacheSnapshot,
  ServerSnapshot,
  SignedAccountSnapshot,
  SubscriptionFilter,
  SubscriptionSnapshot,
} from '../snapshot.ts';
import { ClosedClients } from './closed-clients.ts';
import { closedSnapshotOf, snapshotOf, subscriptionsOf } from './connection-snapshot.ts';
import { GoneTraffic, addTraffic } from './counters.ts';

/** What the view cannot read from the broker: the life of the server. */
export interface ServerFacts {
  readonly options: Options;
  readonly listening: ListeningSnapshot;
  readonly ready: boolean;
  readonly start: Instant;
  readonly configLoadTime: Instant;
  readonly tlsCertificateNotAfter: Instant | undefined;
  readonly ocspCache: OcspCacheSnapshot | undefined;
  readonly runtime: string;
  jetstream(): JetStreamSnapshot | undefined;
  signedAccount(name: string): KnownAccount | undefined;
}

function instantOf(ms: number): Instant {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.floor((ms - seconds * 1000) * 1e6) };
}

export class ServerView implements EngineView {
  readonly #broker: Broker;
  readonly #sessions: Sessions;
  readonly #identity: ServerIdentity;
  readonly #facts: ServerFacts;
  readonly #closed: ClosedClients;
  readonly #gone = new GoneTraffic();
  #stale = 0;
  /** Told of each connection that ended. */
  onGone: (record: ClosedConnection) => void = () => {};

  constructor(broker: Broker, sessions: Sessions, identity: ServerIdentity, facts: ServerFacts) {
    this.#broker = broker;
    this.#sessions = sessions;
    this.#identity = identity;
    this.#facts = facts;
    this.#closed = new ClosedClients(facts.options.maxClosedClients);
  }

  /** Keeps the record of a connection that is about to be released. */
  connectionGone(connection: ClientConnection, reason: CloseReason): void {
    const { kernel, clock } = this.#broker;
    if (reason === 'staleConnection') this.#stale++;
    this.#gone.add(connection.session.facts.account, kernel, connection);
    const { last } = connection;
    const count = last?.count ?? kernel.exports.connectionSubs(connection.index) >>> 0;
    const record = closedSnapshotOf(connection, kernel, this.#lastActivity(connection), {
      stop: clock.wallInstant(),
      reason: closeReasons[reason].text,
      subscriptionsList: count > MOST_REMEMBERED ? [] : subscriptionsOf(connection, kernel, last?.subscriptions),
    });
    this.#closed.add(record);
    this.onGone(record);
  }

  /** One connection as the list of all shows it. */
  connection(connection: ClientConnection): ConnectionSnapshot {
    return snapshotOf(connection, this.#broker.kernel, this.#lastActivity(connection));
  }

  get systemAccount(): string | undefined {
    for (const account of this.#sessions.accounts.all()) if (account.isSystem) return account.name;
    return undefined;
  }

  server(): ServerSnapshot {
    const broker = this.#broker;
    const { exports } = broker.kernel;
    const { options, listening, start, configLoadTime, runtime, tlsCertificateNotAfter, ocspCache } = this.#facts;
    const traffic = {
      inMsgs: exports.inMsgs(),
      inBytes: exports.inBytes(),
      outMsgs: exports.outMsgs(),
      outBytes: exports.outBytes(),
    };
    const system = this.systemAccount;
    return {
      id: this.#identity.serverId,
      name: this.#identity.serverName,
      version: this.#identity.version,
      proto: 1,
      ...(this.#identity.gitCommit === '' ? {} : { gitCommit: this.#identity.gitCommit }),
      runtime,
      start,
      now: broker.clock.wallInstant(),
      options,
      listening,
      authRequired: this.#sessions.authRequired,
      ...(system === undefined ? {} : { systemAccount: system }),
      ...(tlsCertificateNotAfter === undefined ? {} : { tlsCertificateNotAfter }),
      configLoadTime,
      connections: broker.openConnections,
      totalConnections: broker.totalConnections,
      routes: 0,
      remotes: 0,
      leafnodes: 0,
      ...traffic,
      inClientMsgs: traffic.inMsgs,
      inClientBytes: traffic.inBytes,
      outClientMsgs: traffic.outMsgs,
      outClientBytes: traffic.outBytes,
      slowConsumers: { clients: broker.slowConsumers, routes: 0, gateways: 0, leafs: 0 },
      staleConnections: { clients: this.#stale, routes: 0, gateways: 0, leafs: 0 },
      stalledClients: broker.stalledClients,
      subscriptions: exports.allSubscriptions() >>> 0,
      ...(ocspCache === undefined ? {} : { ocspCache }),
    };
  }

  ready(): boolean {
    return this.#facts.ready;
  }

  connections(): readonly ConnectionSnapshot[] {
    const { kernel } = this.#broker;
    return this.#broker.connections().map((connection) => snapshotOf(connection, kernel, this.#lastActivity(connection)));
  }

  #lastActivity(connection: ClientConnection): Instant {
    const { clock } = this.#broker;
    return instantOf(clock.wallMs() - (clock.monotonicMs() - connection.lastActivityMs()));
  }

  closed(): readonly ClosedConnection[] {
    return this.#closed.all();
  }

  subscriptions(filter: SubscriptionFilter = {}): readonly SubscriptionSnapshot[] {
    const { kernel, accounts } = this.#broker;
    const { cids } = filter;
    if (cids !== undefined) {
      const chosen = this.#broker.connections().filter(({ cid }) => cids.has(cid));
      return chosen.flatMap((connection) => subscriptionsOf(connection, kernel));
    }
    const wanted = accounts.all().filter((account) => filter.account === undefined || account.name === filter.account);
    return wanted.flatMap((account) =>
      kernel.subscriptionsIn(account.handle).map((row) => ({
        account: account.name,
        subject: row.subject,
        ...(row.queue === '' ? {} : { queue: row.queue }),
        sid: row.sid,
        cid: this.#broker.at(row.connection)?.cid ?? 0,
        msgs: row.delivered,
        ...(row.max === 0 ? {} : { max: row.max }),
      })),
    );
  }

  matcher(name?: string): MatcherStats | undefined {
    const { kernel, accounts } = this.#broker;
    const wanted = accounts.all().filter((account) => name === undefined || account.name === name);
    if (wanted.length === 0) return undefined;
    const stats = { subscriptions: 0, cacheEntries: 0, inserts: 0, removes: 0, matches: 0, cacheHits: 0 };
    for (const account of wanted) {
      const figures = kernel.matcher(account.handle);
      stats.subscriptions += figures.inserts - figures.removes;
      stats.cacheEntries += figures.cached;
      stats.inserts += figures.inserts;
      stats.removes += figures.removes;
      stats.matches += figures.matches;
      stats.cacheHits += figures.cacheHits;
    }
    return { ...stats, maxFanout: 0, averageFanout: 0 };
  }

  /** The server's own are counted too, as they are listed. */
  #subscriptionsIn(handle: number): number {
    const { inserts, removes } = this.#broker.kernel.matcher(handle);
    return inserts - removes;
  }

  accountNames(): readonly AccountName[] {
    return [...this.#sessions.accounts.all()].map(({ name, isSystem }) => ({ name, system: isSystem }));
  }

  accounts(): readonly AccountSnapshot[] {
    return [...this.#sessions.accounts.all()].map((account) => {
      const { kernel } = this.#broker;
      const open = this.#broker.connections().filter((connection) => connection.session.facts.account === account.name);
      const traffic = this.#gone.of(account.name);
      for (const connection of open) addTraffic(traffic, kernel, connection);
      const known = this.#facts.signedAccount(account.name);
      return {
        name: account.name,
        ...(known !== undefined && known.claims.name !== '' && { nameTag: known.claims.name }),
        ...(known !== undefined && !known.isBootstrap && { signed: this.#signed(known) }),
        system: account.isSystem,
        updateTime: known === undefined ? this.#facts.configLoadTime : instantOf(known.updatedMs),
        jetstreamEnabled: account.jetstream !== undefined,
        clientConnections: open.length,
        leafnodeConnections: 0,
        subscriptions: this.#subscriptionsIn(this.#broker.accounts.get(account.name).handle),
        sent: { msgs: traffic.outMsgs, bytes: traffic.outBytes },
        received: { msgs: traffic.inMsgs, bytes: traffic.inBytes },
        slowConsumers: traffic.slowConsumers,
        ...(account.mappings.length === 0 ? {} : { mappings: account.mappings }),
        exports: this.#facts.options.accounts.get(account.name)?.exports ?? [],
        imports: this.#broker.imports.of(account.name),
      };
    });
  }

  #signed({ claims, jwt, expired }: KnownAccount): SignedAccountSnapshot {
    const { issuer, tags, whole, revocations, imports } = claims;
    const held = this.#broker.imports.of(claims.subject);
    const complete = held.streams.length + held.services.length === imports.length;
    return { jwt, issuerKey: issuer, tags, expired, complete, claims: whole, problems: accountProblems(claims), revocations };
  }

  jetstream(): JetStreamSnapshot | undefined {
    return this.#facts.jetstream();
  }
}
