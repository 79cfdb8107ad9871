// The INFO line: which fields a client is told, in nats-server's order, without spaces, absent rather than false or empty.
// One `ServerInfo` serves all connections of a listener; `ClientInfo` is what differs from one connection to the next.

export interface ServerInfo {
  readonly serverId: string;
  readonly serverName: string;
  readonly version: string;
  readonly gitCommit: string;
  /** The runtime, in the field clients know as `go`. */
  readonly go: string;
  readonly host: string;
  readonly port: number;
  readonly headers: boolean;
  readonly authRequired: boolean;
  readonly tlsRequired: boolean;
  readonly tlsVerify: boolean;
  readonly tlsAvailable: boolean;
  readonly maxPayload: number;
  readonly jetstream: boolean;
  readonly cluster: string;
  readonly clusterDynamic: boolean;
  readonly domain: string;
  readonly connectUrls: readonly string[];
  readonly lameDuck: boolean;
  readonly apiLevel: number;
  readonly xkey: string;
}

export interface ClientInfo {
  readonly clientId: number;
  readonly clientIp: string;
  readonly nonce: string;
  /** Set once the client is known: the limit of its account. */
  readonly maxPayload?: number;
  /** Present in the INFO behind the first PING, absent before. */
  readonly remote?: { readonly account: string; readonly isSystem: boolean };
}

const htmlMarks = /[<>&\u2028\u2029]/g;

/** JSON as Go writes it: marks that mean something in HTML are escaped. */
function goJson(value: object | string): string {
  const json = JSON.stringify(value);
  if (json.search(htmlMarks) < 0) return json;
  return json.replaceAll(htmlMarks, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const filled = (text: string): string | undefined => (text === '' ? undefined : text);
const set = (flag: boolean): true | undefined => (flag ? true : undefined);

/** The members of an object, each with the comma before it. */
function members(value: object): string {
  const json = goJson(value);
  return json === '{}' ? '' : `,${json.slice(1, -1)}`;
}

/** What is equal for all clients of a listener, cut where a client's own fields stand. */
interface Frame {
  /** From the first character on, to the limit of a payload: for who must bring credentials, and for who need not. */
  readonly asking: string;
  readonly open: string;
  /** To the client's number. */
  readonly jetstream: string;
  readonly cluster: string;
  /** To the last character. */
  readonly end: string;
}

function frameOf(server: ServerInfo): Frame {
  const identity = members({
    server_id: server.serverId,
    server_name: server.serverName,
    version: server.version,
    proto: 1,
    git_commit: filled(server.gitCommit),
    go: server.go,
    host: server.host,
    port: server.port,
    headers: server.headers,
  });
  const tls = members({
    tls_required: set(server.tlsRequired),
    tls_verify: set(server.tlsVerify),
    tls_available: set(server.tlsAvailable),
  });
  const start = `INFO {${identity.slice(1)}`;
  return {
    asking: `${start}${members({ auth_required: set(server.authRequired) })}${tls},"max_payload":`,
    open: `${start}${tls},"max_payload":`,
    jetstream: `${members({ jetstream: set(server.jetstream) })},"client_id":`,
    cluster: members({
      cluster: filled(server.cluster),
      cluster_dynamic: set(server.clusterDynamic),
      domain: filled(server.domain),
      connect_urls: server.connectUrls.length === 0 ? undefined : server.connectUrls,
      ldm: set(server.lameDuck),
    }),
    end: `${members({ api_lvl: server.apiLevel === 0 ? undefined : server.apiLevel, xkey: filled(server.xkey) })}} \r\n`,
  };
}

/** A ServerInfo does not change, so its part of the line is made once: connections come by the thousand. */
const frames = new WeakMap<ServerInfo, Frame>();

function frame(server: ServerInfo): Frame {
  let known = frames.get(server);
  if (known === undefined) frames.set(server, (known = frameOf(server)));
  return known;
}

function remoteOf({ remote }: ClientInfo): string {
  if (remote === undefined) return '';
  return `,"connect_info":true,"remote_account":${goJson(remote.account)}${remote.isSystem ? ',"acc_is_sys":true' : ''}`;
}

/** Nothing in it that JSON writes in another way. */
const plainAddress = /^[\da-f.:]+$/;

function addressOf({ clientIp }: ClientInfo): string {
  if (clientIp === '') return '';
  return `,"client_ip":${plainAddress.test(clientIp) ? `"${clientIp}"` : goJson(clientIp)}`;
}

/** `asksForCredentials` false: the client may come in without any, whatever the listener asks of others. */
export function infoLine(server: ServerInfo, client: ClientInfo, asksForCredentials = true): string {
  const { asking, open, jetstream, cluster, end } = frame(server);
  const start = asksForCredentials ? asking : open;
  const nonce = client.nonce === '' ? '' : `,"nonce":"${client.nonce}"`;
  const own = `${client.maxPayload ?? server.maxPayload}${jetstream}${client.clientId}${addressOf(client)}${nonce}`;
  return start + own + cluster + remoteOf(client) + end;
}
