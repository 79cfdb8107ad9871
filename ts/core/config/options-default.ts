// The options of a server that was configured nowhere: nats-server's defaults, except that JetStream syncs before it acknowledges.
// Kept true: each call makes a fresh value, so that one server's options never leak into another's.

import type { JetStreamOptions, OcspCacheOptions, Options } from './options.ts';
import type { TlsOptions } from './options-network.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

function defaultJetStream(): JetStreamOptions {
  return {
    enabled: false,
    storeDir: '',
    maxMemory: undefined,
    maxFile: undefined,
    syncIntervalMs: 'always',
    domain: '',
    strict: true,
    key: '',
    prevKey: '',
    cipher: '',
    extensionHint: '',
    uniqueTag: '',
    tpmKeysFile: '',
    limits: {
      maxAckPending: 0,
      maxHaAssets: 0,
      maxRequestBatch: 0,
      duplicateWindowMs: 0,
      batchMaxInflightPerStream: 0,
      batchMaxInflightTotal: 0,
      batchMaxMsgs: 1_000,
      batchTimeoutMs: 10_000,
    },
    maxOutstandingCatchup: 64 * MIB,
    maxBufferedSize: 128 * MIB,
    maxBufferedMsgs: 100_000,
    requestQueueLimit: 10_000,
    infoQueueLimit: 10_000,
    metaCompact: 0,
    metaCompactSize: 0,
    metaCompactSync: false,
    maxConcurrentIo: 4_096,
  };
}

/** Where peers are checked and nothing is said of the cache, too. */
export function defaultOcspCache(): OcspCacheOptions {
  return { type: 'local', localStore: '_rc_', preserveRevoked: false, saveIntervalMs: 300_000 };
}

export function defaultTls(): TlsOptions {
  return {
    certFile: '',
    keyFile: '',
    caFile: '',
    certs: [],
    verify: false,
    verifyAndMap: false,
    verifyCertAndCheckKnownUrls: false,
    insecure: false,
    timeoutMs: 2_000,
    handshakeFirst: false,
    handshakeFirstFallbackMs: 0,
    connectionRateLimit: 0,
    pinnedCerts: [],
    cipherSuites: [],
    allowInsecureCipherSuites: false,
    curvePreferences: [],
    minVersion: '1.2',
  };
}

export function defaultOptions(): Options {
  return {
    configFile: '',
    configDigest: '',
    host: '0.0.0.0',
    port: 4222,
    clientAdvertise: '',
    serverName: '',
    serverTags: [],
    serverMetadata: {},
    featureFlags: {},
    debug: false,
    trace: false,
    traceVerbose: false,
    traceHeaders: false,
    logtime: true,
    logtimeUtc: false,
    logFile: '',
    logSizeLimit: 0,
    logMaxNum: 0,
    syslog: false,
    remoteSyslog: '',
    maxTracedMsgLen: 0,
    pidFile: '',
    portsFileDir: '',
    httpHost: '',
    httpPort: 0,
    httpsPort: 0,
    httpBasePath: '',
    profPort: 0,
    profBlockRate: 0,
    maxConnections: 64 * KIB,
    maxControlLine: 4 * KIB,
    maxPayload: MIB,
    maxPending: 64 * MIB,
    maxSubscriptions: 0,
    maxSubTokens: 0,
    maxClosedClients: 10_000,
    pingIntervalMs: 120_000,
    pingMax: 2,
    writeDeadlineMs: 10_000,
    writeTimeout: 'default',
    noFastProducerStall: false,
    lameDuckDurationMs: 120_000,
    lameDuckGracePeriodMs: 10_000,
    noHeaderSupport: false,
    disableSublistCache: false,
    allowNonTls: false,
    proxyProtocol: false,
    trustedProxies: [],
    connectErrorReports: 3_600,
    reconnectErrorReports: 1,
    authorization: { user: '', pass: '', token: '', timeoutMs: undefined, users: [], proxyRequired: false },
    accounts: new Map(),
    mappings: [],
    noAuthUser: '',
    defaultSentinel: '',
    systemAccount: '',
    noSystemAccount: false,
    jetstream: defaultJetStream(),
    defaultJsDomain: {},
    trustedKeys: [],
    operators: [],
    resolverPreload: {},
    resolverPinnedAccounts: [],
  };
}
