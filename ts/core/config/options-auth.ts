// Who may connect and what they may do: the option types of `authorization`, `accounts`, permissions and mappings.
// They are plain data, already checked by the configuration reader, so that auth and account code never sees raw text.
// Kept true: an absent limit is -1 (no limit); every user is either a `user` with a password or an `nkey`, never both.

/** Subjects a list of which allows or denies; an entry of a subscribe list may be "subject queue". */
export interface SubjectPermission {
  allow?: string[];
  deny?: string[];
}

export interface ResponsePermission {
  /** Replies allowed for one request; negative means no limit. */
  max: number;
  /** How long a reply is allowed; negative means no limit. */
  expiresMs: number;
}

export interface Permissions {
  publish?: SubjectPermission;
  subscribe?: SubjectPermission;
  allowResponses?: ResponsePermission;
}

export type ConnectionType = 'STANDARD' | 'WEBSOCKET' | 'LEAFNODE' | 'LEAFNODE_WS' | 'MQTT' | 'MQTT_WS' | 'IN_PROCESS';

export interface UserOptions {
  /** User name, empty for an nkey user. */
  user: string;
  /** Plain text or a bcrypt hash; empty for an nkey user. */
  pass: string;
  /** Public user key, empty for a user with a password. */
  nkey: string;
  /** The account this user belongs to, `$G` when none was named. */
  account: string;
  /** Own permissions, or the default ones that apply to this user. */
  permissions?: Permissions;
  allowedConnectionTypes?: ConnectionType[];
  proxyRequired: boolean;
}

export interface AuthCalloutOptions {
  issuer: string;
  account: string;
  authUsers: string[];
  xkey: string;
  allowedAccounts: string[];
}

/** The `authorization` block: users here belong to the global account. */
export interface AuthorizationOptions {
  user: string;
  pass: string;
  token: string;
  /** Undefined when not configured: the time then follows from the listener (2 s, TLS timeout + 1 s). */
  timeoutMs: number | undefined;
  users: UserOptions[];
  defaultPermissions?: Permissions;
  authCallout?: AuthCalloutOptions;
  proxyRequired: boolean;
}

/** One destination of a mapped subject. Weights of one cluster scope add up to at most 100. */
export interface MappingDestination {
  subject: string;
  weight: number;
  cluster: string;
}

export interface SubjectMapping {
  source: string;
  destinations: MappingDestination[];
}

export interface AccountLimits {
  maxConnections: number;
  maxSubscriptions: number;
  maxPayload: number;
  maxLeafnodes: number;
}

/** JetStream limits of one account or one tier; -1 means no limit. */
export interface AccountJetStreamLimits {
  maxMemory: number;
  maxStore: number;
  maxStreams: number;
  maxConsumers: number;
  maxAckPending: number;
  memMaxStreamBytes: number;
  diskMaxStreamBytes: number;
  maxBytesRequired: boolean;
}

export interface LatencyOptions {
  subject: string;
  /** Percent of requests; 0 means asked for by a request header. */
  sampling: number;
}

export interface ExportOptions {
  kind: 'stream' | 'service';
  subject: string;
  /** Accounts that may import; empty means a public export. */
  accounts: string[];
  /** Signed accounts: only those that bring an activation token may import. */
  tokenRequired?: boolean;
  accountTokenPosition: number;
  responseType: 'singleton' | 'stream' | 'chunked';
  responseThresholdMs: number;
  latency?: LatencyOptions;
  allowTrace: boolean;
}

export interface ImportOptions {
  kind: 'stream' | 'service';
  account: string;
  subject: string;
  to: string;
  prefix: string;
  share: boolean;
  allowTrace: boolean;
  /** Signed accounts: the import brought a token that opens the export. */
  activated?: boolean;
}

export interface MessageTraceOptions {
  dest: string;
  sampling: number;
}

export interface AccountOptions {
  name: string;
  nkey: string;
  users: UserOptions[];
  defaultPermissions?: Permissions;
  limits: AccountLimits;
  /** Undefined: JetStream is off for this account. */
  jetstream?: AccountJetStreamLimits;
  /** Signed accounts with limits by replicas, `R1` and so on; `jetstream` is then what streams of one replica have. */
  jetstreamTiers?: Readonly<Record<string, AccountJetStreamLimits>>;
  clusterTraffic: string;
  mappings: SubjectMapping[];
  exports: ExportOptions[];
  imports: ImportOptions[];
  messageTrace?: MessageTraceOptions;
}

export function unlimitedAccount(): AccountLimits {
  return { maxConnections: -1, maxSubscriptions: -1, maxPayload: -1, maxLeafnodes: -1 };
}

export function unlimitedJetStream(): AccountJetStreamLimits {
  return {
    maxMemory: -1,
    maxStore: -1,
    maxStreams: -1,
    maxConsumers: -1,
    maxAckPending: -1,
    memMaxStreamBytes: -1,
    diskMaxStreamBytes: -1,
    maxBytesRequired: false,
  };
}

export function emptyAccount(name: string): AccountOptions {
  return {
    name,
    nkey: '',
    users: [],
    limits: unlimitedAccount(),
    clusterTraffic: '',
    mappings: [],
    exports: [],
    imports: [],
  };
}
