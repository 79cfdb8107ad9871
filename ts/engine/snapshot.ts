// What the engine tells operators: the only types that monitoring, metrics and the banner know of the running server.
// They exist so that every document an operator sees is a pure function of values the engine hands out, and can be tested with made-up ones.
// True of every value here: it is read in the turn it was taken, nothing in it changes behind the reader's back, counters never go down,
// and a field without a value is left out rather than set to a placeholder.

import type { MetricHistogram } from '../ports/metrics.ts';
import type { AccountImports } from '../core/account/imports.ts';
import type { ExportOptions, Options, SubjectMapping } from '../core/config/options.ts';
import type { JsonInput } from '../lib/json-text.ts';
import type { Instant } from '../ports/clock.ts';

export type { Instant } from '../ports/clock.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** One count per kind of peer, as `slow_consumer_stats` and `stale_connection_stats` break theirs down. */
export interface PeerCounts {
  readonly clients: number;
  readonly routes: number;
  readonly gateways: number;
  readonly leafs: number;
}

/** Where a listener really listens: the host as configured and the port it got. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** One entry a listener that is open. */
export interface ListeningSnapshot {
  readonly client?: ListenAddress;
  readonly http?: ListenAddress;
  readonly https?: ListenAddress;
  readonly websocket?: ListenAddress;
  readonly leafnodes?: ListenAddress;
  readonly cluster?: ListenAddress;
  readonly gateway?: ListenAddress;
  readonly mqtt?: ListenAddress;
}

/** The cache of answers about peers' certificates. */
export interface OcspCacheSnapshot {
  readonly hits: number;
  readonly misses: number;
  readonly responses: number;
  /** Of the responses. */
  readonly good: number;
  readonly revoked: number;
  readonly unknown: number;
}

/** The server as a whole: who it is, what it was told, what it has done since it started. */
export interface ServerSnapshot {
  readonly id: string;
  readonly name: string;
  /** The nats-server version this server is compatible with; clients and tools gate features on it. */
  readonly version: string;
  readonly proto: number;
  readonly gitCommit?: string;
  /** What runs the server; shown where nats-server names its Go release. */
  readonly runtime: string;
  readonly start: Instant;
  readonly now: Instant;
  /** The options in force, those of the last good reload. */
  readonly options: Options;
  readonly listening: ListeningSnapshot;
  /** As INFO says: some credential is asked of clients. */
  readonly authRequired: boolean;
  /** Absent when there is no system account. */
  readonly systemAccount?: string;
  /** Client and WebSocket addresses of the cluster, as INFO advertises them. */
  readonly connectUrls?: readonly string[];
  readonly websocketConnectUrls?: readonly string[];
  /** End of validity of the client listener's certificate. */
  readonly tlsCertificateNotAfter?: Instant;
  readonly configLoadTime: Instant;
  readonly connections: number;
  readonly totalConnections: number;
  readonly routes: number;
  readonly remotes: number;
  readonly leafnodes: number;
  readonly inMsgs: number;
  readonly inBytes: number;
  readonly outMsgs: number;
  readonly outBytes: number;
  readonly inClientMsgs: number;
  readonly inClientBytes: number;
  readonly outClientMsgs: number;
  readonly outClientBytes: number;
  readonly slowConsumers: PeerCounts;
  readonly staleConnections: PeerCounts;
  readonly stalledClients: number;
  readonly subscriptions: number;
  /** Absent where peers are not checked with OCSP, or nothing is kept. */
  readonly ocspCache?: OcspCacheSnapshot;
}

/** A client certificate as connz shows it. */
export interface CertificateSnapshot {
  readonly subject: string;
  readonly spkiSha256: string;
  readonly certSha256: string;
}

export interface ConnectionSnapshot {
  readonly cid: number;
  readonly kind: 'Client' | 'Leafnode';
  readonly type: 'nats' | 'mqtt' | 'websocket';
  readonly ip: string;
  readonly port: number;
  readonly start: Instant;
  readonly lastActivity: Instant;
  /** Absent until the first PONG. */
  readonly rttMs?: number;
  readonly pendingBytes: number;
  readonly inMsgs: number;
  readonly outMsgs: number;
  readonly inBytes: number;
  readonly outBytes: number;
  readonly stalls: number;
  readonly subscriptions: number;
  readonly name?: string;
  readonly lang?: string;
  readonly version?: string;
  /** `1.2` or `1.3`; absent on a plain connection. */
  readonly tlsVersion?: string;
  readonly tlsCipherSuite?: string;
  readonly tlsPeerCertificates?: readonly CertificateSnapshot[];
  readonly tlsFirst?: boolean;
  /** User name, nkey or `[REDACTED]` for a token. */
  readonly authorizedUser?: string;
  /** Absent until the connection is bound to one. */
  readonly account?: string;
  readonly mqttClient?: string;
  readonly jwt?: string;
  readonly issuerKey?: string;
  readonly nameTag?: string;
  readonly tags?: readonly string[];
  readonly proxyKey?: string;
}

/** The last word on a connection that is gone; kept in a ring of `max_closed_clients`, oldest first. */
export interface ClosedConnection extends ConnectionSnapshot {
  readonly stop: Instant;
  /** One of the texts of `connz`, such as `Client Closed` or `Slow Consumer (Pending Bytes)`. */
  readonly reason: string;
  readonly subscriptionsList: readonly SubscriptionSnapshot[];
}

export interface SubscriptionSnapshot {
  readonly account: string;
  readonly subject: string;
  readonly queue?: string;
  readonly sid: string;
  readonly cid: number;
  /** Messages delivered so far. */
  readonly msgs: number;
  /** Delivered messages after which it ends by itself; absent without UNSUB max. */
  readonly max?: number;
}

/** One account's matcher, or the sum over all of them (`maxFanout` is then the largest, `averageFanout` weighted by matches). */
export interface MatcherStats {
  readonly subscriptions: number;
  readonly cacheEntries: number;
  readonly inserts: number;
  readonly removes: number;
  readonly matches: number;
  readonly cacheHits: number;
  readonly maxFanout: number;
  readonly averageFanout: number;
}

export interface Traffic {
  readonly msgs: number;
  readonly bytes: number;
}

/** What an operator signed about an account. */
export interface SignedAccountSnapshot {
  readonly jwt: string;
  readonly issuerKey: string;
  readonly tags: readonly string[];
  readonly expired: boolean;
  /** Everything it imports could be had. */
  readonly complete: boolean;
  /** The members of the JWT. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
  /** Seconds since 1970 by user. */
  readonly revocations: ReadonlyMap<string, number>;
}

/** All there is to say of an account at little cost. */
export interface AccountName {
  readonly name: string;
  readonly system: boolean;
}

export interface AccountSnapshot {
  readonly name: string;
  readonly nameTag?: string;
  readonly system: boolean;
  readonly updateTime: Instant;
  readonly jetstreamEnabled: boolean;
  /** Open connections of clients, leaf nodes not among them. */
  readonly clientConnections: number;
  readonly leafnodeConnections: number;
  readonly subscriptions: number;
  readonly sent: Traffic;
  readonly received: Traffic;
  readonly slowConsumers: number;
  readonly mappings?: readonly SubjectMapping[];
  /** What others may import from it, and what it imports. */
  readonly exports?: readonly ExportOptions[];
  readonly imports?: AccountImports;
  readonly signed?: SignedAccountSnapshot;
}

/** Bytes; a reservation of -1 is an account without limit. */
export interface JetStreamUsage {
  readonly memory: number;
  readonly storage: number;
  readonly reservedMemory: number;
  readonly reservedStorage: number;
}

export interface JetStreamApiCounts {
  readonly level: number;
  readonly total: number;
  readonly errors: number;
  readonly inflight?: number;
}

/** What JetStream came to use where the options left it open. */
export interface JetStreamConfigSnapshot {
  readonly maxMemory: number;
  readonly maxStorage: number;
  /** The `jetstream` folder itself. */
  readonly storeDir: string;
}

/** JetStream of this server. The functions walk what they return only when called, so that totals stay cheap. */
export interface JetStreamSnapshot extends JetStreamUsage {
  readonly config: JetStreamConfigSnapshot;
  readonly haAssets: number;
  readonly api: JetStreamApiCounts;
  readonly streams: number;
  readonly consumers: number;
  readonly messages: number;
  readonly bytes: number;
  /** How long the rounds of file streams waited for the disk. */
  readonly syncTimes: MetricHistogram;
  accounts(): readonly JetStreamAccountSnapshot[];
}

export interface JetStreamAccountSnapshot extends JetStreamUsage {
  readonly name: string;
  readonly id: string;
  readonly api: JetStreamApiCounts;
  /** By name. One that goes meanwhile is not among them. */
  streams(): Iterable<StreamSnapshot>;
}

/** Parts that are JSON are the very objects the JetStream API answers with, made when they are asked for. */
export interface StreamSnapshot {
  readonly name: string;
  readonly created: Instant;
  readonly config: Json;
  readonly state: Json;
  readonly mirror?: Json | undefined;
  readonly sources?: Json | undefined;
  /** Why the stream does not serve (a failed sync, an unreadable file); absent when it is well. */
  readonly fault?: string | undefined;
  consumers(): Iterable<ConsumerSnapshot>;
}

export interface ConsumerSnapshot {
  readonly name: string;
  /** True for consumers a mirror or source keeps on this stream. */
  readonly direct?: boolean;
  readonly fault?: string;
  /** As `$JS.API.CONSUMER.INFO` answers, `config` included. */
  readonly info: { readonly [key: string]: Json | undefined };
}

/** What happened to a traced message: a receiver, or that it went to another account. */
export type TracedStep = TracedDelivery | TracedExport | TracedImport;

export interface TracedDelivery {
  readonly kind: 'delivery';
  readonly at: Instant;
  readonly cid: number;
  readonly name: string;
  /** Of the receiver, where it is not the publisher's. */
  readonly account?: string;
  readonly subject: string;
  readonly queue: string;
  /** Why it was not delivered. */
  readonly error?: string;
}

/** It went to a subscription on an imported stream. */
export interface TracedExport {
  readonly kind: 'export';
  readonly at: Instant;
  readonly account: string;
  readonly to: string;
}

/** It went to an imported service. */
export interface TracedImport {
  readonly kind: 'import';
  readonly at: Instant;
  readonly account: string;
  readonly from: string;
  readonly to: string;
}

export interface TracedPlace {
  readonly account: string;
  readonly subject: string;
}

/** What a stream did with the message. */
export interface TracedStorage {
  readonly at: Instant;
  readonly stream: string;
  /** As stored; absent where it was refused. */
  readonly subject?: string;
  /** Nobody wants it, so that it is not kept. */
  readonly noInterest?: boolean;
  readonly error?: string;
}

/** The way of a message that asked for it to be told. */
export interface MessageTrace {
  readonly account: string;
  readonly destination: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly sizeBytes: number;
  readonly at: Instant;
  readonly cid: number;
  readonly name: string;
  /** As published, and what a mapping made of it. */
  readonly subject: string;
  readonly mappedTo?: string;
  /** Nobody received it; what is told would have happened. */
  readonly only: boolean;
  readonly steps: TracedStep[];
  readonly storages: TracedStorage[];
  /** Where it came by, and may be traced: accounts with the subjects there. */
  readonly places: readonly TracedPlace[];
}

/** What is known of a request to a measured service; durations in milliseconds. */
export interface ServiceMeasure {
  /** The exporting account, and where it wants to hear. */
  readonly account: string;
  readonly subject: string;
  readonly outcome: 'answered' | 'notAwaited' | 'notTaken' | 'timedOut' | 'lost';
  readonly requestor?: ClientDocument;
  readonly responder?: ClientDocument;
  /** The headers that asked for it to be measured. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly start: Instant;
  readonly serviceMs: number;
  readonly totalMs: number;
}

/** What a client says of itself, as documents show it. */
export type ClientDocument = Readonly<Record<string, JsonInput | undefined>>;

/** Which subscriptions to list; nothing given lists all, those of the server itself included. */
export interface SubscriptionFilter {
  readonly account?: string;
  /** Only those of these open connections; then `account` is not looked at. */
  readonly cids?: ReadonlySet<number>;
}

/** What the engine implements and everything in `ops/` reads. */
export interface EngineView {
  server(): ServerSnapshot;
  /** True once every listener is open and until shutdown begins. */
  ready(): boolean;
  connections(): readonly ConnectionSnapshot[];
  closed(): readonly ClosedConnection[];
  subscriptions(filter?: SubscriptionFilter): readonly SubscriptionSnapshot[];
  /** Of one account, or the sum over all. An unknown account has no stats. */
  matcher(account?: string): MatcherStats | undefined;
  accountNames(): readonly AccountName[];
  accounts(): readonly AccountSnapshot[];
  /** Undefined when JetStream is off. */
  jetstream(): JetStreamSnapshot | undefined;
}
