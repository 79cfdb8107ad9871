// What the system account is told without asking: clients that come, go and are not let in, how many each account has, the server's load,
// and its end.
// Kept true: an event is made only when somebody listens to it.

import type { CertificateFacts } from '../../core/ocsp/answer.ts';
import type { ClosedConnection, ConnectionSnapshot, ServiceMeasure } from '../../engine/snapshot.ts';
import { isRefusal } from '../../core/session/reasons.ts';
import { GLOBAL_ACCOUNT } from '../../core/config/options.ts';
import { jsonText } from '../../lib/json-text.ts';
import type { Timer } from '../../ports/clock.ts';
import { instantText, unlessEmpty, type Document, type MonitorContext } from '../monitor/context.ts';
import { measureDocument } from './measure-document.ts';
import { accountRequests } from './requests.ts';
import { serverInfo } from './server-info.ts';
import type { SystemServiceParts } from './service.ts';
import { statsz } from './statsz.ts';

/** How often the server tells its load. */
const STATSZ_MS = 10_000;
/** How often accounts with connections tell how many. */
const CONNECTIONS_MS = 30_000;
/** Where an account hears of clients that were not let in. */
const ACCOUNT_REFUSALS = '$SYS.ACCOUNT.CLIENT.AUTH.ERR';
const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const encoder = new TextEncoder();

export class SystemEvents {
  readonly #parts: SystemServiceParts;
  readonly #context: MonitorContext;
  /** Counts the documents of this server, answers among them. */
  readonly #nextSeq: () => number;
  #timers: readonly Timer[] = [];

  constructor(parts: SystemServiceParts, context: MonitorContext, nextSeq: () => number) {
    this.#parts = parts;
    this.#context = context;
    this.#nextSeq = nextSeq;
  }

  start(): void {
    const { clock } = this.#parts;
    this.#timers = [clock.every(STATSZ_MS, () => this.tellLoad()), clock.every(CONNECTIONS_MS, () => this.#tellAllConnections())];
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  #tell(subject: string, make: () => Document): void {
    const { view, door } = this.#parts;
    const account = view.server().systemAccount;
    if (account === undefined || !door.listens(account, subject)) return;
    door.publish(account, subject, encoder.encode(jsonText(make())));
  }

  #server(): Document {
    return serverInfo(this.#parts.view.server(), this.#nextSeq());
  }

  tellLoad(): void {
    const { view, process } = this.#parts;
    this.#tell(`$SYS.SERVER.${view.server().id}.STATSZ`, () => ({ server: this.#server(), statsz: statsz(view, process) }));
  }

  /** No new clients from here, and those there are sent away. */
  lameDuck(): void {
    this.#tell(`$SYS.SERVER.${this.#parts.view.server().id}.LAMEDUCK`, () => this.#server());
  }

  shutdown(): void {
    this.#tell(`$SYS.SERVER.${this.#parts.view.server().id}.SHUTDOWN`, () => this.#server());
  }

  /** The exporting account hears how long a request to its service took. */
  measured(measure: ServiceMeasure): void {
    const { now } = this.#parts.view.server();
    const document = { ...measureDocument(measure, { id: this.unique(), timestamp: instantText(now) }) };
    this.#parts.door.publish(measure.account, measure.subject, encoder.encode(jsonText(document)));
  }

  unique(): string {
    return Array.from({ length: 22 }, () => letters[this.#parts.random.below(letters.length)]).join('');
  }

  /** Head of an advisory. */
  #advisory(kind: string): Document {
    const { now } = this.#parts.view.server();
    const id = this.unique();
    const type = `io.nats.server.advisory.v1.${kind}`;
    return { type, id, timestamp: instantText(now), server: this.#server() };
  }

  /** A certificate in the chain of a peer is revoked, or nothing good is known of it. */
  linkInvalid(peer: CertificateFacts, link: CertificateFacts, reason: string): void {
    this.#tell(`$SYS.SERVER.${this.#parts.view.server().id}.OCSP.PEER.LINK.INVALID`, () => ({
      ...this.#advisory('ocsp_peer_link_invalid'),
      link: certificateOf(link),
      peer: certificateOf(peer),
      reason,
    }));
  }

  /** A peer was not let in for that. */
  peerRejected(peer: CertificateFacts, reason: string): void {
    this.#tell(`$SYS.SERVER.${this.#parts.view.server().id}.OCSP.PEER.CONN.REJECT`, () => ({
      ...this.#advisory('ocsp_peer_reject'),
      kind: 'Client',
      peer: certificateOf(peer),
      reason,
    }));
  }

  joined(connection: ConnectionSnapshot): void {
    const { account = '' } = connection;
    this.#tellConnections(account);
    this.#tell(`$SYS.ACCOUNT.${account}.CONNECT`, () => ({
      ...this.#advisory('client_connect'),
      client: clientOf({ ...connection, rttMs: 0 }),
    }));
  }

  left(connection: ClosedConnection): void {
    const { account, reason } = connection;
    // Clients nobody knows are of the global account.
    const shown = account === undefined ? { ...connection, account: GLOBAL_ACCOUNT } : connection;
    if (isRefusal(reason)) this.#notLetIn(shown);
    else if (account === undefined) return;
    if (account !== undefined) this.#tellConnections(account);
    this.#tell(`$SYS.ACCOUNT.${shown.account}.DISCONNECT`, () => this.#gone(shown));
  }

  /** The system account hears of it, and the account that decides about clients. */
  #notLetIn(connection: ClosedConnection): void {
    const { door, view } = this.#parts;
    const { id, options } = view.server();
    this.#tell(`$SYS.SERVER.${id}.CLIENT.AUTH.ERR`, () => this.#gone(connection));
    const account = options.authorization.authCallout?.account ?? connection.account ?? GLOBAL_ACCOUNT;
    if (!door.listens(account, ACCOUNT_REFUSALS)) return;
    const document = { ...this.#gone(connection), client: { ...this.#client(connection), acc: account } };
    door.publish(account, ACCOUNT_REFUSALS, encoder.encode(jsonText(document)));
  }

  #client(connection: ClosedConnection): Document {
    return clientOf(connection, instantText(connection.stop));
  }

  #gone(connection: ClosedConnection): Document {
    const { inMsgs, inBytes, outMsgs, outBytes, reason } = connection;
    return {
      ...this.#advisory('client_disconnect'),
      client: this.#client(connection),
      sent: { msgs: inMsgs, bytes: inBytes },
      received: { msgs: outMsgs, bytes: outBytes },
      reason,
    };
  }

  #tellAllConnections(): void {
    for (const { name, clientConnections } of this.#parts.view.accounts())
      if (clientConnections > 0 && name !== GLOBAL_ACCOUNT) this.#tellConnections(name);
  }

  #tellConnections(account: string): void {
    for (const subject of [`$SYS.SERVER.ACCOUNT.${account}.CONNS`, `$SYS.ACCOUNT.${account}.SERVER.CONNS`])
      this.#tell(subject, () => this.connectionsOf(account));
  }

  /** How many connections an account has, and what they moved. */
  connectionsOf(account: string): Document {
    const document = accountRequests['STATZ']?.(this.#context, { include_unused: true }, account);
    const [row] = (document?.['account_statz'] ?? []) as readonly Document[];
    return { ...this.#advisory('account_connections'), ...row };
  }
}

function certificateOf({ subject, issuer, fingerprint, der }: CertificateFacts): Document {
  const raw = Buffer.from(der).toString('base64');
  return { subject: unlessEmpty(subject), issuer: unlessEmpty(issuer), fingerprint, raw };
}

function clientOf(connection: ConnectionSnapshot, stop?: string): Document {
  const { start, ip, cid, account, authorizedUser, name, lang, version, rttMs, kind, type } = connection;
  return {
    start: instantText(start),
    host: ip,
    id: cid,
    acc: account,
    user: unlessEmpty(authorizedUser),
    name: unlessEmpty(name),
    lang: unlessEmpty(lang),
    ver: unlessEmpty(version),
    rtt: unlessEmpty(Math.round((rttMs ?? 0) * 1e6)),
    stop,
    name_tag: account,
    kind,
    client_type: type,
  };
}
