// What must hold between options before a server starts or reloads: each rule looks at several of them, wherever they came from.
// Kept true: a server never starts half: every rule that is broken gives one line, and all lines are shown together.

import { defaultDomainProblem } from '../account/default-domain.ts';
import { isValidSubject } from '../subject/subject.ts';
import { operatorProblem } from './check-operators.ts';
import { formatDuration } from './duration.ts';
import { allUsers, DEFAULT_SYSTEM_ACCOUNT, GLOBAL_ACCOUNT } from './options.ts';
import type { CompressionOptions, Options, WebsocketOptions } from './options.ts';

type Rule = (options: Options) => string | undefined;

function hasAccount(options: Options, name: string): boolean {
  return name === GLOBAL_ACCOUNT || options.accounts.has(name);
}

function hasUser(options: Options, name: string): boolean {
  return allUsers(options).some((user) => user.user === name || (user.nkey !== '' && user.nkey === name));
}

function fallbackUser(options: Options, name: string): string | undefined {
  if (name === '') return undefined;
  if (options.operators.length > 0 || options.trustedKeys.length > 0) return 'no_auth_user not compatible with trusted operators';
  if (allUsers(options).length === 0) return `no_auth_user: "${name}" present, but users/nkeys are not defined`;
  if (hasUser(options, name)) return undefined;
  return `no_auth_user: "${name}" not present as user or nkey in authorization block or account configuration`;
}

const limits: readonly Rule[] = [
  ({ maxPayload, maxPending }) =>
    maxPayload > maxPending ? `max_payload (${maxPayload}) cannot be higher than max_pending (${maxPending})` : undefined,
  ({ lameDuckGracePeriodMs: grace, lameDuckDurationMs: duration }) =>
    grace >= duration
      ? `lame duck grace period (${formatDuration(grace)}) should be strictly lower than lame duck duration (${formatDuration(duration)})`
      : undefined,
  ({ serverName }) => (serverName.includes(' ') ? 'server name cannot contain spaces' : undefined),
  ({ port }) => (port > 65_535 ? `port ${port} is not between -1 and 65535` : undefined),
];

const monitoring: readonly Rule[] = [
  ({ httpPort, httpsPort }) =>
    httpPort !== 0 && httpsPort !== 0 ? `can't specify both HTTP (${httpPort}) and HTTPs (${httpsPort}) ports` : undefined,
  ({ httpsPort, tls }) => (httpsPort !== 0 && tls === undefined ? 'TLS cert and key required for HTTPS' : undefined),
];

const identity: readonly Rule[] = [
  (options) => fallbackUser(options, options.noAuthUser),
  (options) => {
    const { systemAccount: name } = options;
    if (name === '' || name === DEFAULT_SYSTEM_ACCOUNT || options.noSystemAccount || options.operators.length > 0)
      return undefined;
    return hasAccount(options, name) ? undefined : `error resolving system account "${name}": account missing`;
  },
  operatorProblem,
  defaultDomainProblem,
];

const FORBIDDEN_HEADERS = new Set(['host', 'content-length', 'connection', 'upgrade', 'nats-no-masking']);

function checkHeaders({ headers }: WebsocketOptions): string | undefined {
  for (const name of Object.keys(headers)) {
    if (FORBIDDEN_HEADERS.has(name.toLowerCase())) return `websocket: invalid header "${name}" not allowed`;
    if (name.toLowerCase().startsWith('sec-websocket-')) {
      return `websocket: invalid header "${name}", "Sec-WebSocket-" prefix not allowed`;
    }
  }
  return undefined;
}

function checkOrigins({ allowedOrigins }: WebsocketOptions): string | undefined {
  for (const origin of allowedOrigins) {
    const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(origin);
    if (parts === null) return `unable to parse allowed origin "${origin}": it must be a URL like https://example.com`;
    if (!/^https?$/i.test(parts[1] ?? ''))
      return `unable to parse allowed origin "${origin}": it must begin with http:// or https://`;
    if (parts[2] === '') return `unable to parse allowed origin "${origin}": host is required`;
  }
  return undefined;
}

const websocket: readonly Rule[] = [
  ({ websocket: ws }) => (ws?.tls === undefined && !ws?.noTls ? 'websocket requires TLS configuration' : undefined),
  ({ websocket: ws }) => ws && checkOrigins(ws),
  ({ websocket: ws }) => ws && checkHeaders(ws),
  (options) => options.websocket && fallbackUser(options, options.websocket.noAuthUser),
  (options) => {
    const own = options.websocket?.authorization;
    if (own === undefined || allUsers(options).length === 0) return undefined;
    if (own.user !== '') return 'websocket authentication username not compatible with presence of users/nkeys';
    return own.token === '' ? undefined : 'websocket authentication token not compatible with presence of users/nkeys';
  },
  (options) => {
    const cookie = options.websocket?.jwtCookie ?? '';
    if (cookie === '' || options.operators.length > 0 || options.trustedKeys.length > 0) return undefined;
    return `trusted operators or trusted keys configuration is required for JWT authentication via cookie "${cookie}"`;
  },
];

function checkCompression(compression: CompressionOptions | undefined): string | undefined {
  const thresholds = compression?.rttThresholdsMs ?? [];
  const shown = `[${thresholds.map(formatDuration).join(' ')}]`;
  if (thresholds.length > 4) return `compression mode "s2_auto" should have no more than 4 RTT thresholds: ${shown}`;
  const levels = thresholds.filter((ms) => ms !== 0);
  if (levels.some((ms) => ms < 0)) return `RTT threshold values ${shown} cannot be negative`;
  return levels.some((ms, at) => at > 0 && ms <= (levels[at - 1] ?? 0))
    ? `RTT threshold values ${shown} should be in ascending order`
    : undefined;
}

const cluster: readonly Rule[] = [
  ({ cluster: block }) => checkCompression(block?.compression),
  ({ cluster: block }) => {
    const names = block?.accounts ?? [];
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) return `found duplicate account name "${twice}" in pinned accounts list ${JSON.stringify(names)}`;
    return names.length > 0 && (block?.poolSize ?? 0) < 0
      ? 'pool_size cannot be negative if pinned accounts are specified'
      : undefined;
  },
  (options) => {
    if (!options.jetstream.enabled || options.cluster === undefined || options.cluster.port === 0) return undefined;
    if (options.serverName === '') return 'jetstream cluster requires `server_name` to be set';
    return options.cluster.name === '' ? 'jetstream cluster requires `cluster.name` to be set' : undefined;
  },
  ({ gateway }) => {
    if (gateway === undefined) return undefined;
    if (gateway.name === '') return 'gateway has no name';
    return gateway.port === 0 ? `gateway "${gateway.name}" has no port specified (select -1 for random port)` : undefined;
  },
  ({ gateway, cluster: block }) =>
    gateway !== undefined && gateway.name !== '' && block !== undefined && block.name !== '' && gateway.name !== block.name
      ? 'cluster name conflicts between cluster and gateway definitions'
      : undefined,
  ({ gateway, leafnodes, systemAccount }) =>
    gateway !== undefined && leafnodes !== undefined && leafnodes.port !== 0 && systemAccount === ''
      ? 'leaf nodes and gateways (both being defined) require a system account to also be configured'
      : undefined,
];

const leafnodes: readonly Rule[] = [
  ({ leafnodes: leaf }) => checkCompression(leaf?.compression),
  (options) => {
    const own = options.leafnodes?.authorization;
    const named = [own?.account ?? '', ...(own?.users ?? []).map((user) => user.account)].filter((name) => name !== '');
    const missing = options.operators.length > 0 ? undefined : named.find((name) => !hasAccount(options, name));
    return missing === undefined ? undefined : `cannot find local account "${missing}" specified in leafnode authorization`;
  },
  (options) => {
    for (const remote of options.leafnodes?.remotes ?? []) {
      const ws = remote.urls.filter((url) => /^wss?:/i.test(url)).length;
      if (ws > 0 && ws < remote.urls.length) {
        return `remote leaf node configuration cannot have a mix of websocket and non-websocket urls: ${JSON.stringify(remote.urls)}`;
      }
      const missing = remote.account !== '' && options.operators.length === 0 && !hasAccount(options, remote.account);
      if (missing) return `cannot find local account "${remote.account}" specified in leafnode remote`;
      const wrong = checkCompression(remote.compression);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  },
];

const jetstream: readonly Rule[] = [
  ({ jetstream: { domain } }) => {
    if (domain === '') return undefined;
    if (/[.*>]/.test(domain)) return 'invalid domain name: may not contain ., * or >';
    const derived = `$JS.${domain}.API.>`;
    return isValidSubject(derived) ? undefined : `invalid domain name: derived "${derived}" is not a valid subject`;
  },
  ({ jetstream: { enabled, tpmKeysFile, key } }) => {
    if (!enabled || tpmKeysFile === '') return undefined;
    const why =
      key === ''
        ? 'TPM functionality is not supported on this platform'
        : 'JetStream encryption key may not be used with TPM options';
    return `Can't start JetStream: ${why}`;
  },
  ({ jetstream: { prevKey, key } }) =>
    prevKey !== '' && key === '' ? '`prev_key` of jetstream needs a `key` that replaces it' : undefined,
  (options) =>
    options.mqtt !== undefined && options.mqtt.port !== 0 && !options.jetstream.enabled && options.cluster === undefined
      ? 'mqtt requires JetStream to be enabled if running in standalone mode'
      : undefined,
  (options) => options.mqtt && fallbackUser(options, options.mqtt.noAuthUser),
];

/** Rules of a listener apply only when it listens. */
function rulesFor(options: Options): readonly Rule[] {
  const isWebsocket = options.websocket !== undefined && options.websocket.port !== 0;
  return [...limits, ...monitoring, ...identity, ...(isWebsocket ? websocket : []), ...cluster, ...leafnodes, ...jetstream];
}

/** One line for each rule that is broken. */
export function validateOptions(options: Options): string[] {
  return rulesFor(options)
    .map((rule) => rule(options))
    .filter((text) => text !== undefined);
}
