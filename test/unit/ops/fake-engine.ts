/**
 * An engine made of plain values: what monitoring and metrics are tested against. `plainEngine` is a server just started without any
 * option, `richEngine` one with a busy TLS client, a closed one, accounts, mappings, JetStream and every listener; tests change what they need.
 */
import { emptyAccount } from '../../../ts/core/config/options-auth.ts';
import { defaultOptions, type Options } from '../../../ts/core/config/options.ts';
import { defaultTls } from '../../../ts/core/config/options-default.ts';
import type {
  ClosedConnection,
  ConnectionSnapshot,
  EngineView,
  Instant,
  JetStreamSnapshot,
  MatcherStats,
  ServerSnapshot,
  SubscriptionSnapshot,
} from '../../../ts/engine/snapshot.ts';
import type { ProcessFacts, ProcessPort } from '../../../ts/ports/process.ts';

export const startedAt: Instant = { seconds: 1_795_000_000, nanos: 120_000_000 };

export function after(seconds: number): Instant {
  return { seconds: startedAt.seconds + seconds, nanos: startedAt.nanos };
}

const noPeers = { clients: 0, routes: 0, gateways: 0, leafs: 0 };

export function serverSnapshot(changes: Partial<ServerSnapshot> = {}): ServerSnapshot {
  return {
    id: 'NSERVER',
    name: 'NSERVER',
    version: '2.14.5',
    proto: 1,
    runtime: 'node v20',
    start: startedAt,
    now: after(90_061),
    options: defaultOptions(),
    listening: { client: { host: '127.0.0.1', port: 4222 }, http: { host: '127.0.0.1', port: 8222 } },
    authRequired: false,
    systemAccount: '$SYS',
    configLoadTime: startedAt,
    connections: 0,
    totalConnections: 0,
    routes: 0,
    remotes: 0,
    leafnodes: 0,
    inMsgs: 0,
    inBytes: 0,
    outMsgs: 0,
    outBytes: 0,
    inClientMsgs: 0,
    inClientBytes: 0,
    outClientMsgs: 0,
    outClientBytes: 0,
    slowConsumers: noPeers,
    staleConnections: noPeers,
    stalledClients: 0,
    subscriptions: 0,
    ...changes,
  };
}

export function connectionSnapshot(changes: Partial<ConnectionSnapshot> = {}): ConnectionSnapshot {
  return {
    cid: 7,
    kind: 'Client',
    type: 'nats',
    ip: '127.0.0.1',
    port: 50_000,
    start: after(1),
    lastActivity: after(2),
    pendingBytes: 0,
    inMsgs: 0,
    outMsgs: 0,
    inBytes: 0,
    outBytes: 0,
    stalls: 0,
    subscriptions: 0,
    account: '$G',
    ...changes,
  };
}

export function closedConnection(changes: Partial<ClosedConnection> = {}): ClosedConnection {
  return { ...connectionSnapshot(), stop: after(3), reason: 'Client Closed', subscriptionsList: [], ...changes };
}

export const matcherStats: MatcherStats = {
  subscriptions: 3,
  cacheEntries: 2,
  inserts: 4,
  removes: 1,
  matches: 8,
  cacheHits: 6,
  maxFanout: 2,
  averageFanout: 1.25,
};

export function engineView(changes: Partial<EngineView> = {}): EngineView {
  return {
    server: () => serverSnapshot(),
    ready: () => true,
    connections: () => [],
    closed: () => [],
    subscriptions: () => [],
    matcher: () => matcherStats,
    accountNames: () =>
      (changes.accounts?.() ?? [accountSnapshot('$SYS'), accountSnapshot('$G')]).map(({ name, system }) => ({ name, system })),
    accounts: () => [accountSnapshot('$SYS'), accountSnapshot('$G')],
    jetstream: () => undefined,
    ...changes,
  };
}

const noTraffic = { msgs: 0, bytes: 0 };

export function accountSnapshot(name: string): ReturnType<EngineView['accounts']>[number] {
  return {
    name,
    system: name === '$SYS' || name === 'SYS',
    updateTime: startedAt,
    jetstreamEnabled: false,
    clientConnections: 0,
    leafnodeConnections: 0,
    subscriptions: 0,
    sent: noTraffic,
    received: noTraffic,
    slowConsumers: 0,
  };
}

const facts: ProcessFacts = {
  pid: 4711,
  commandLine: ['slipstream', '-m', '8222'],
  cores: 2,
  threads: 2,
  memoryBytes: 50_000_000,
  heapUsedBytes: 10_000_000,
  heapTotalBytes: 20_000_000,
  externalBytes: 5_000_000,
  activeResources: ['TCPServerWrap'],
  cpuPercent: 1.5,
};

export const processFacts: ProcessPort = { facts: () => facts };

export const plainEngine: EngineView = engineView();

const busy = connectionSnapshot({
  cid: 9,
  rttMs: 1.587_55,
  inMsgs: 5,
  outMsgs: 3,
  inBytes: 50,
  outBytes: 30,
  subscriptions: 2,
  name: 'here',
  lang: 'test',
  version: '1.0',
  tlsVersion: '1.3',
  tlsCipherSuite: 'TLS_AES_128_GCM_SHA256',
  tlsPeerCertificates: [{ subject: 'CN=client', spkiSha256: 'aa', certSha256: 'bb' }],
  authorizedUser: 'u',
  account: 'A',
});

const subscriptions: readonly SubscriptionSnapshot[] = [
  { account: 'A', subject: 's.a', sid: '1', cid: 9, msgs: 1 },
  { account: 'A', subject: 's.*', queue: 'workers', sid: '2', cid: 9, msgs: 0, max: 9 },
];

function richOptions(): Options {
  const options = defaultOptions();
  const listens = { host: '127.0.0.1', port: -1 };
  return {
    ...options,
    configDigest: 'sha256:00',
    serverTags: ['a:1'],
    serverMetadata: { region: 'x' },
    maxSubscriptions: 77,
    writeTimeout: 'retry',
    tls: { ...defaultTls(), verify: true },
    accounts: new Map([['A', emptyAccount('A')]]),
    jetstream: {
      ...options.jetstream,
      enabled: true,
      uniqueTag: 'az',
      limits: { ...options.jetstream.limits, maxAckPending: 100, duplicateWindowMs: 60_000 },
    },
    websocket: {
      ...listens,
      advertise: '',
      noTls: true,
      sameOrigin: true,
      allowedOrigins: ['http://a'],
      compression: true,
      handshakeTimeoutMs: 3_000,
      noAuthUser: '',
      jwtCookie: '',
      userCookie: '',
      passCookie: '',
      tokenCookie: '',
      headers: {},
      pingIntervalMs: undefined,
    },
  };
}

const jetstream: JetStreamSnapshot = {
  syncTimes: { bounds: [0.001, 0.01], counts: [2, 5], count: 6, sum: 0.25 },
  config: { maxMemory: 1_000, maxStorage: 2_000, storeDir: '/data/jetstream' },
  memory: 0,
  storage: 41,
  reservedMemory: 0,
  reservedStorage: 0,
  haAssets: 0,
  api: { level: 4, total: 3, errors: 0 },
  streams: 1,
  consumers: 1,
  messages: 1,
  bytes: 41,
  accounts: () => [
    {
      name: 'A',
      id: 'A',
      memory: 0,
      storage: 41,
      reservedMemory: -1,
      reservedStorage: -1,
      api: { level: 4, total: 3, errors: 0 },
      streams: () => [stream],
    },
  ],
};

const stream = {
  name: 'S',
  created: after(1),
  config: { name: 'S', subjects: ['js.>'] },
  state: { messages: 1, bytes: 41 },
  consumers: () => [{ name: 'C', info: { stream_name: 'S', name: 'C', config: { durable_name: 'C' }, num_pending: 1 } }],
};

export const richEngine: EngineView = engineView({
  server: () =>
    serverSnapshot({
      name: 'rich',
      options: richOptions(),
      listening: {
        client: { host: '127.0.0.1', port: 40_001 },
        http: { host: '127.0.0.1', port: 40_002 },
        websocket: { host: '127.0.0.1', port: 40_003 },
      },
      authRequired: true,
      systemAccount: 'SYS',
      tlsCertificateNotAfter: after(1_000_000),
    }),
  connections: () => [busy],
  closed: () => [closedConnection({ ...busy, cid: 8, name: 'gone', subscriptionsList: subscriptions })],
  subscriptions: ({ account, cids } = {}) =>
    subscriptions.filter((one) => cids?.has(one.cid) ?? (account ?? one.account) === one.account),
  accounts: () => [
    {
      ...accountSnapshot('A'),
      jetstreamEnabled: true,
      clientConnections: 1,
      mappings: [{ source: 'foo', destinations: [{ subject: 'bar', weight: 100, cluster: '' }] }],
    },
    accountSnapshot('SYS'),
  ],
  jetstream: () => jetstream,
});

/** The same view with other options in force. */
export function withOptions(view: EngineView, options: Partial<Options>): EngineView {
  return {
    ...view,
    server: () => {
      const server = view.server();
      return { ...server, options: { ...server.options, ...options } };
    },
  };
}
