// The options the whole server is started from: one plain value, made by the configuration reader and the command line.
// Names are nats-server's keys in camel case with the unit last; every other part of the server imports its types here.
// Kept true: a value of this type is complete (every default filled) and free of functions, so it can be compared and printed.

import type { OperatorClaims } from '../jwt/operator-claims.ts';
import type { AccountOptions, AuthorizationOptions, SubjectMapping, UserOptions } from './options-auth.ts';
import type {
  ClusterOptions,
  GatewayOptions,
  LeafnodesOptions,
  MqttOptions,
  TlsOptions,
  WebsocketOptions,
  WriteTimeout,
} from './options-network.ts';

export type * from './options-auth.ts';
export type * from './options-network.ts';

export interface JetStreamServerLimits {
  maxAckPending: number;
  maxHaAssets: number;
  maxRequestBatch: number;
  duplicateWindowMs: number;
  batchMaxInflightPerStream: number;
  batchMaxInflightTotal: number;
  batchMaxMsgs: number;
  batchTimeoutMs: number;
}

export interface JetStreamOptions {
  enabled: boolean;
  /** The directory as configured; data lives in its `jetstream` folder. Empty: a temporary one, with a warning. */
  storeDir: string;
  /** Bytes; undefined: derived from the machine at start. 0 allows none. */
  maxMemory: number | undefined;
  maxFile: number | undefined;
  /** `always` (our default): an acknowledgement means on disk. A number is the time between background syncs. */
  syncIntervalMs: number | 'always';
  domain: string;
  strict: boolean;
  key: string;
  prevKey: string;
  cipher: '' | 'chacha' | 'aes';
  extensionHint: '' | 'no_extend' | 'will_extend';
  uniqueTag: string;
  /** Not empty: the key is to come from a TPM, which is refused at the start. */
  tpmKeysFile: string;
  limits: JetStreamServerLimits;
  maxOutstandingCatchup: number;
  maxBufferedSize: number;
  maxBufferedMsgs: number;
  requestQueueLimit: number;
  infoQueueLimit: number;
  metaCompact: number;
  metaCompactSize: number;
  metaCompactSync: boolean;
  maxConcurrentIo: number;
}

export interface ResolverOptions {
  type: 'memory' | 'url' | 'full' | 'cache';
  url: string;
  dir: string;
  allowDelete: boolean;
  hardDelete: boolean;
  intervalMs: number;
  limit: number;
  ttlMs: number;
  timeoutMs: number;
}

export interface OcspOptions {
  mode: 'auto' | 'always' | 'must' | 'never';
  urls: string[];
}

export interface OcspCacheOptions {
  type: 'local' | 'none';
  localStore: string;
  preserveRevoked: boolean;
  saveIntervalMs: number;
}

export interface Options {
  /** Path of the file the options came from, empty when there was none. */
  configFile: string;
  /** `sha256:<hex>` of the parsed file, empty when there was none. */
  configDigest: string;

  host: string;
  /** -1: any free port. */
  port: number;
  clientAdvertise: string;
  /** Empty: the server's id is its name. */
  serverName: string;
  serverTags: string[];
  serverMetadata: Record<string, string>;
  featureFlags: Record<string, boolean>;

  debug: boolean;
  trace: boolean;
  traceVerbose: boolean;
  traceHeaders: boolean;
  logtime: boolean;
  logtimeUtc: boolean;
  logFile: string;
  logSizeLimit: number;
  logMaxNum: number;
  syslog: boolean;
  remoteSyslog: string;
  maxTracedMsgLen: number;

  pidFile: string;
  portsFileDir: string;

  httpHost: string;
  /** 0: off. */
  httpPort: number;
  httpsPort: number;
  httpBasePath: string;
  profPort: number;
  profBlockRate: number;

  maxConnections: number;
  maxControlLine: number;
  maxPayload: number;
  maxPending: number;
  /** 0: no limit. */
  maxSubscriptions: number;
  maxSubTokens: number;
  maxClosedClients: number;
  pingIntervalMs: number;
  pingMax: number;
  writeDeadlineMs: number;
  writeTimeout: WriteTimeout;
  noFastProducerStall: boolean;
  lameDuckDurationMs: number;
  lameDuckGracePeriodMs: number;
  noHeaderSupport: boolean;
  disableSublistCache: boolean;
  allowNonTls: boolean;
  proxyProtocol: boolean;
  trustedProxies: string[];
  connectErrorReports: number;
  reconnectErrorReports: number;

  authorization: AuthorizationOptions;
  /** Keyed by account name; the global account appears only when it was configured. */
  accounts: Map<string, AccountOptions>;
  /** Mappings of the global account. */
  mappings: SubjectMapping[];
  noAuthUser: string;
  defaultSentinel: string;
  systemAccount: string;
  noSystemAccount: boolean;

  /** TLS of the client listener. */
  tls?: TlsOptions;
  websocket?: WebsocketOptions;
  leafnodes?: LeafnodesOptions;
  cluster?: ClusterOptions;
  gateway?: GatewayOptions;
  mqtt?: MqttOptions;
  /** Always present: `enabled` tells whether JetStream runs. */
  jetstream: JetStreamOptions;
  defaultJsDomain: Record<string, string>;

  trustedKeys: string[];
  operators: OperatorClaims[];
  resolver?: ResolverOptions;
  resolverTls?: TlsOptions;
  resolverPreload: Record<string, string>;
  resolverPinnedAccounts: string[];
  ocsp?: OcspOptions;
  ocspCache?: OcspCacheOptions;
}

export const GLOBAL_ACCOUNT = '$G';
export const DEFAULT_SYSTEM_ACCOUNT = '$SYS';
const DEFAULT_AUTH_TIMEOUT_MS = 2_000;

/** Every user of the server, of the `authorization` block and of all accounts. */
export function allUsers(options: Options): UserOptions[] {
  const ofAccounts = [...options.accounts.values()].flatMap((account) => account.users);
  return [...options.authorization.users, ...ofAccounts];
}

/** How long a client may take to authenticate: as configured, else 2 s, else one second more than its TLS handshake. */
export function authTimeoutMs(options: Options): number {
  const { timeoutMs } = options.authorization;
  if (timeoutMs !== undefined) return timeoutMs;
  return options.tls === undefined ? DEFAULT_AUTH_TIMEOUT_MS : options.tls.timeoutMs + 1_000;
}

export { defaultOptions } from './options-default.ts';
