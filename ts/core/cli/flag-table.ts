// The table of command line flags: spellings, what follows them, and what they do to the options. The parser and the help text read it.
// Kept true: a flag wins over the configuration file; `apply` sees the options of the file and changes only what its flag is about.

import type { ClusterOptions, Options } from '../config/options.ts';
import { defaultTls } from '../config/options-default.ts';
import { emptyCluster } from '../config/keys/cluster.ts';

/** Values of flags after parsing, by the first of their spellings. */
export type FlagValues = ReadonlyMap<string, boolean | number | string>;

interface FlagText {
  /** Without dashes; the first is the one errors and values are known by. */
  readonly names: readonly string[];
  readonly group: FlagGroup;
  /** What follows, as the help text names it. */
  readonly argument?: string;
  readonly help: string;
}

type BoolFlag = FlagText & { readonly kind: 'bool'; apply?(options: Options, value: boolean): void };
type IntFlag = FlagText & { readonly kind: 'int'; apply?(options: Options, value: number): void };
type TextFlag = FlagText & { readonly kind: 'text'; apply?(options: Options, value: string): void };

export type Flag = BoolFlag | IntFlag | TextFlag;

export const FLAG_GROUPS = ['Server', 'Logging', 'JetStream', 'Authorization', 'TLS', 'Cluster', 'Profiling', 'Common'] as const;
export type FlagGroup = (typeof FLAG_GROUPS)[number];

/** Groups of flags that do what is still to come, by the key of the configuration that says the same. */
const unbuiltGroups: Partial<Record<FlagGroup, string>> = { Cluster: 'cluster' };

/** The cluster block of the file, or a fresh one. */
export function clusterOf(options: Options): ClusterOptions {
  return (options.cluster ??= emptyCluster());
}

/** TLS of flags replaces the block of the file as a whole. */
function setTls(options: Options, change: { verify?: boolean }): void {
  options.tls = { ...defaultTls(), ...change };
}

const server: readonly Flag[] = [
  {
    names: ['addr', 'a', 'net'],
    kind: 'text',
    group: 'Server',
    argument: '<host>',
    help: 'Address to listen on for clients (0.0.0.0)',
    apply: (options, value) => void (options.host = value),
  },
  {
    names: ['port', 'p'],
    kind: 'int',
    group: 'Server',
    argument: '<port>',
    help: 'Port to listen on for clients, -1 for any (4222)',
    apply: (options, value) => void (options.port = value),
  },
  {
    names: ['server_name', 'n', 'name'],
    kind: 'text',
    group: 'Server',
    argument: '<name>',
    help: 'Name of this server (its id)',
    apply: (options, value) => void (options.serverName = value),
  },
  {
    names: ['pid', 'P'],
    kind: 'text',
    group: 'Server',
    argument: '<file>',
    help: 'Write the process id into a file',
    apply: (options, value) => void (options.pidFile = value),
  },
  {
    names: ['http_port', 'm'],
    kind: 'int',
    group: 'Server',
    argument: '<port>',
    help: 'Port for monitoring over HTTP',
    apply: (options, value) => void (options.httpPort = value),
  },
  {
    names: ['https_port', 'ms'],
    kind: 'int',
    group: 'Server',
    argument: '<port>',
    help: 'Port for monitoring over HTTPS',
    apply: (options, value) => void (options.httpsPort = value),
  },
  { names: ['config', 'c'], kind: 'text', group: 'Server', argument: '<file>', help: 'Read this configuration file' },
  { names: ['t'], kind: 'bool', group: 'Server', help: 'Check the configuration file and exit' },
  {
    names: ['signal', 'sl'],
    kind: 'text',
    group: 'Server',
    argument: '<signal>[=<pid>]',
    help: 'Tell a running server to ldm, stop, quit, term, reopen or reload; <pid> is a number, a pid file, or the beginning of pids and a *',
  },
  {
    names: ['client_advertise'],
    kind: 'text',
    group: 'Server',
    argument: '<host:port>',
    help: 'Address that clients and other servers are told',
    apply: (options, value) => void (options.clientAdvertise = value),
  },
  {
    names: ['ports_file_dir'],
    kind: 'text',
    group: 'Server',
    argument: '<dir>',
    help: 'Write a file with all addresses listened on into a directory',
    apply: (options, value) => void (options.portsFileDir = value),
  },
];

const logging: readonly Flag[] = [
  {
    names: ['log', 'l'],
    kind: 'text',
    group: 'Logging',
    argument: '<file>',
    help: 'Log into a file',
    apply: (options, value) => void (options.logFile = value),
  },
  {
    names: ['logtime', 'T'],
    kind: 'bool',
    group: 'Logging',
    help: 'Begin log lines with the time (true)',
    apply: (options, value) => void (options.logtime = value),
  },
  {
    names: ['logtime_utc'],
    kind: 'bool',
    group: 'Logging',
    help: 'That time is UTC',
    apply: (options, value) => void (options.logtimeUtc = value),
  },
  {
    names: ['syslog', 's'],
    kind: 'bool',
    group: 'Logging',
    help: 'Log to syslog',
    apply: (options, value) => void (options.syslog = value),
  },
  {
    names: ['remote_syslog', 'r'],
    kind: 'text',
    group: 'Logging',
    argument: '<addr>',
    help: 'Log to the syslog at an address like udp://localhost:514',
    apply: (options, value) => void (options.remoteSyslog = value),
  },
  {
    names: ['debug', 'D'],
    kind: 'bool',
    group: 'Logging',
    help: 'Log what the server does',
    apply: (options, value) => void (options.debug = value),
  },
  {
    names: ['trace', 'V'],
    kind: 'bool',
    group: 'Logging',
    help: 'Log the protocol',
    apply: (options, value) => void (options.trace = value),
  },
  {
    names: ['VV'],
    kind: 'bool',
    group: 'Logging',
    help: 'Log the protocol of the system account too',
    apply: (options, value) => void (options.trace = options.traceVerbose = value),
  },
  {
    names: ['DV'],
    kind: 'bool',
    group: 'Logging',
    help: 'As -D and -V',
    apply: (options, value) => void (options.debug = options.trace = value),
  },
  {
    names: ['DVV'],
    kind: 'bool',
    group: 'Logging',
    help: 'As -D and -VV',
    apply: (options, value) => void (options.debug = options.trace = options.traceVerbose = value),
  },
  {
    names: ['log_size_limit'],
    kind: 'int',
    group: 'Logging',
    argument: '<bytes>',
    help: 'Begin a new log file after so many bytes',
    apply: (options, value) => void (options.logSizeLimit = value),
  },
  {
    names: ['max_traced_msg_len'],
    kind: 'int',
    group: 'Logging',
    argument: '<bytes>',
    help: 'Log only the beginning of long messages',
    apply: (options, value) => void (options.maxTracedMsgLen = value),
  },
];

const jetstream: readonly Flag[] = [
  {
    names: ['jetstream', 'js'],
    kind: 'bool',
    group: 'JetStream',
    help: 'Run JetStream',
    apply: (options, value) => void (options.jetstream.enabled = value),
  },
  {
    names: ['store_dir', 'sd'],
    kind: 'text',
    group: 'JetStream',
    argument: '<dir>',
    help: 'Directory for streams',
    apply: (options, value) => void (options.jetstream.storeDir = value),
  },
];

const authorization: readonly Flag[] = [
  {
    names: ['user'],
    kind: 'text',
    group: 'Authorization',
    argument: '<user>',
    help: 'User that clients must name',
    apply: (options, value) => void (options.authorization.user = value),
  },
  {
    names: ['pass'],
    kind: 'text',
    group: 'Authorization',
    argument: '<password>',
    help: 'Password of that user',
    apply: (options, value) => void (options.authorization.pass = value),
  },
  {
    names: ['auth'],
    kind: 'text',
    group: 'Authorization',
    argument: '<token>',
    help: 'Token that clients must give',
    apply: (options, value) => void (options.authorization.token = value),
  },
];

/** In the order they are applied: the switches make a fresh block, the files go into it. */
const tls: readonly Flag[] = [
  {
    names: ['tls'],
    kind: 'bool',
    group: 'TLS',
    help: 'Clients use TLS',
    apply: (options, value) => (value ? setTls(options, {}) : void delete options.tls),
  },
  {
    names: ['tlsverify'],
    kind: 'bool',
    group: 'TLS',
    help: 'Clients use TLS and have a certificate',
    apply: (options, value) => (value ? setTls(options, { verify: true }) : undefined),
  },
  { names: ['tlscert'], kind: 'text', group: 'TLS', argument: '<file>', help: 'Certificate' },
  { names: ['tlskey'], kind: 'text', group: 'TLS', argument: '<file>', help: 'Key of the certificate' },
  { names: ['tlscacert'], kind: 'text', group: 'TLS', argument: '<file>', help: 'Authorities that clients are checked against' },
];

const cluster: readonly Flag[] = [
  { names: ['routes'], kind: 'text', group: 'Cluster', argument: '<url,...>', help: 'Servers of the cluster to connect to' },
  {
    names: ['cluster', 'cluster_listen'],
    kind: 'text',
    group: 'Cluster',
    argument: '<url>',
    help: 'Address to listen on for the cluster, like nats://user:pass@host:port',
  },
  {
    names: ['cluster_name'],
    kind: 'text',
    group: 'Cluster',
    argument: '<name>',
    help: 'Name of the cluster (made up)',
    apply: (options, value) => void (clusterOf(options).name = value),
  },
  {
    names: ['no_advertise'],
    kind: 'bool',
    group: 'Cluster',
    help: 'Clients are not told of other servers',
    apply: (options, value) => void (clusterOf(options).noAdvertise = value),
  },
  {
    names: ['cluster_advertise'],
    kind: 'text',
    group: 'Cluster',
    argument: '<host:port>',
    help: 'Address that other servers are told',
    apply: (options, value) => void (clusterOf(options).advertise = value),
  },
  {
    names: ['connect_retries'],
    kind: 'int',
    group: 'Cluster',
    argument: '<number>',
    help: 'Tries to reach a server that was only heard of',
    apply: (options, value) => void (clusterOf(options).connectRetries = value),
  },
];

const rest: readonly Flag[] = [
  {
    names: ['profile'],
    kind: 'int',
    group: 'Profiling',
    argument: '<port>',
    help: 'Port of the profiler',
    apply: (options, value) => void (options.profPort = value),
  },
  { names: ['help', 'h'], kind: 'bool', group: 'Common', help: 'Show this text' },
  { names: ['version', 'v'], kind: 'bool', group: 'Common', help: 'Show the version' },
  { names: ['help_tls'], kind: 'bool', group: 'Common', help: 'Show how TLS is configured' },
];

export const FLAGS: readonly Flag[] = [...server, ...logging, ...jetstream, ...authorization, ...tls, ...cluster, ...rest];

/** The keys of features that are still to come and that flags ask for. */
export function pendingFlags(values: FlagValues): string[] {
  const asked = FLAGS.filter(({ names }) => values.has(names[0] ?? ''));
  return [...new Set(asked.map(({ group }) => unbuiltGroups[group]).filter((key) => key !== undefined))];
}
