// Option types of everything that listens or dials: TLS, WebSocket, cluster, gateway, leaf nodes, MQTT.
// A block that is absent from the configuration is undefined in Options; a block that is present has every field filled.
// Kept true: port 0 means "does not listen" in these blocks, -1 means "any free port".

import type { SubjectPermission } from './options-auth.ts';

export interface OcspPeerOptions {
  verify: boolean;
  caTimeoutMs: number;
  allowedClockSkewMs: number;
  warnOnly: boolean;
  unknownIsGood: boolean;
  allowWhenCaUnreachable: boolean;
  cacheTtlWhenNextUpdateUnsetMs: number;
}

export interface TlsCertificate {
  certFile: string;
  keyFile: string;
}

/** A `tls` block. Files are named here and read by the part that opens the listener. */
export interface TlsOptions {
  certFile: string;
  keyFile: string;
  caFile: string;
  certs: TlsCertificate[];
  verify: boolean;
  verifyAndMap: boolean;
  verifyCertAndCheckKnownUrls: boolean;
  insecure: boolean;
  timeoutMs: number;
  /** The TLS handshake comes before INFO. */
  handshakeFirst: boolean;
  /** With handshakeFirst: after this time without a client hello, INFO is sent in plain. 0 means never. */
  handshakeFirstFallbackMs: number;
  /** Handshakes a second, 0 means no limit. */
  connectionRateLimit: number;
  /** Hex SHA-256 of accepted public keys, lower case. */
  pinnedCerts: string[];
  /** Go names, in order of preference; empty means all secure ones. */
  cipherSuites: string[];
  allowInsecureCipherSuites: boolean;
  curvePreferences: string[];
  minVersion: '1.2' | '1.3';
  ocspPeer?: OcspPeerOptions;
}

export type WriteTimeout = 'default' | 'close' | 'retry';

/** user/pass/token of a listener that has credentials of its own. */
export interface ListenerAuthorization {
  user: string;
  pass: string;
  token: string;
  timeoutMs: number | undefined;
}

export interface WebsocketOptions {
  host: string;
  port: number;
  advertise: string;
  noTls: boolean;
  tls?: TlsOptions;
  sameOrigin: boolean;
  allowedOrigins: string[];
  compression: boolean;
  handshakeTimeoutMs: number;
  authorization?: ListenerAuthorization;
  noAuthUser: string;
  jwtCookie: string;
  userCookie: string;
  passCookie: string;
  tokenCookie: string;
  headers: Record<string, string>;
  /** Undefined: as for other clients. */
  pingIntervalMs: number | undefined;
}

export type CompressionMode =
  'not supported' | 'off' | 'accept' | 's2_fast' | 's2_better' | 's2_best' | 's2_auto' | 's2_uncompressed';

export interface CompressionOptions {
  mode: CompressionMode;
  rttThresholdsMs: number[];
}

export interface ClusterOptions {
  name: string;
  host: string;
  port: number;
  advertise: string;
  noAdvertise: boolean;
  user: string;
  pass: string;
  authTimeoutMs: number | undefined;
  permissions?: { import?: SubjectPermission; export?: SubjectPermission };
  tls?: TlsOptions;
  routes: string[];
  connectRetries: number;
  connectBackoff: boolean;
  poolSize: number;
  accounts: string[];
  compression: CompressionOptions;
  pingIntervalMs: number | undefined;
  pingMax: number | undefined;
  writeDeadlineMs: number | undefined;
  writeTimeout: WriteTimeout;
}

export interface RemoteGatewayOptions {
  name: string;
  urls: string[];
  tls?: TlsOptions;
}

export interface GatewayOptions {
  name: string;
  host: string;
  port: number;
  advertise: string;
  user: string;
  pass: string;
  authTimeoutMs: number | undefined;
  tls?: TlsOptions;
  connectRetries: number;
  connectBackoff: boolean;
  rejectUnknownCluster: boolean;
  gateways: RemoteGatewayOptions[];
  writeDeadlineMs: number | undefined;
  writeTimeout: WriteTimeout;
}

export interface LeafnodeUser {
  user: string;
  pass: string;
  account: string;
  proxyRequired: boolean;
}

export interface LeafnodeAuthorization {
  user: string;
  pass: string;
  nkey: string;
  account: string;
  timeoutMs: number | undefined;
  users: LeafnodeUser[];
  proxyRequired: boolean;
}

export interface ProxyOptions {
  url: string;
  user: string;
  pass: string;
  timeoutMs: number;
}

export interface LeafnodeRemoteOptions {
  urls: string[];
  account: string;
  credentials: string;
  nkey: string;
  tls?: TlsOptions;
  hub: boolean;
  denyImports: string[];
  denyExports: string[];
  noRandomize: boolean;
  wsCompression: boolean;
  wsNoMasking: boolean;
  jetstreamClusterMigrate: boolean;
  leaderMigrateDelayMs: number;
  isolateLeafnodeInterest: boolean;
  requestIsolation: boolean;
  compression: CompressionOptions;
  firstInfoTimeoutMs: number;
  dialTimeoutMs: number | undefined;
  disabled: boolean;
  ignoreDiscoveredServers: boolean;
  proxy?: ProxyOptions;
}

export interface LeafnodesOptions {
  host: string;
  port: number;
  advertise: string;
  noAdvertise: boolean;
  authorization?: LeafnodeAuthorization;
  tls?: TlsOptions;
  compression: CompressionOptions;
  minVersion: string;
  isolateLeafnodeInterest: boolean;
  reconnectMs: number;
  dialTimeoutMs: number;
  writeDeadlineMs: number | undefined;
  writeTimeout: WriteTimeout;
  remotes: LeafnodeRemoteOptions[];
}

export interface MqttOptions {
  host: string;
  port: number;
  tls?: TlsOptions;
  authorization?: ListenerAuthorization;
  noAuthUser: string;
  ackWaitMs: number;
  jsApiTimeoutMs: number;
  maxAckPending: number;
  jsDomain: string;
  streamReplicas: number;
  consumerReplicas: number;
  consumerMemoryStorage: boolean;
  consumerInactiveThresholdMs: number;
  rejectQos2Publish: boolean;
  downgradeQos2Subscribe: boolean;
}
