/**
 * A whole small NATS server as a pure program: bytes of the clients in, bytes to the clients out. The twin of the kernel
 * together with the little the host decides around it.
 *
 * It never sends INFO (that is the listener's) and keeps no time. Where the real thing may choose (which member of a queue
 * group, in which order one message reaches the subscriptions of one connection) it asks its witness, which either looks
 * at what was really received (witness.ts) or just takes the first.
 */
import { quoted } from './bytes.ts';
import { Matcher, hasWildcard, isLiteral } from './matcher.ts';
import type { Entry } from './matcher.ts';
import { readOperation, readPayload } from './parser.ts';
import type { Operation, PublishLine } from './parser.ts';
import { mayHear, mayPublish, mayReceive, maySubscribe, startsFilter, tooWideForQueue } from './permissions.ts';
import type { Frame, Identity, Rules, Witness } from './rules.ts';
import { connect, greeted } from './session.ts';
import type { Session } from './session.ts';

export interface Subscription {
  readonly conn: Connection;
  readonly subject: string;
  readonly queue: string | null;
  readonly sid: string;
  received: number;
  max: number;
}

export interface Connection {
  readonly id: number;
  open: boolean;
  unread: string;
  awaited: PublishLine | null;
  identity: Identity | null;
  session: Session;
  filtering: boolean;
  readonly subscriptions: Map<string, Entry<Subscription>>;
  /** Replies this connection may send although its publish permissions do not hold them: subject to number sent. */
  readonly replies: Map<string, number>;
}

const anybody: Identity = { account: '$G', permissions: null };
const reservedReplies = ['_R_.', '$JS.ACK.', '_GR_.'];

export class Broker {
  readonly connections = new Map<number, Connection>();
  private readonly accounts = new Map<string, Matcher<Subscription>>();
  private readonly rules: Rules;
  private readonly witness: Witness;

  constructor(rules: Rules, witness: Witness) {
    this.rules = rules;
    this.witness = witness;
  }

  open(id: number): void {
    const identity = this.rules.users === null ? anybody : null;
    this.connections.set(id, {
      id,
      open: true,
      unread: '',
      awaited: null,
      identity,
      session: greeted,
      filtering: false,
      subscriptions: new Map(),
      replies: new Map(),
    });
  }

  /** The client went away. */
  hangUp(id: number): void {
    const conn = this.connections.get(id);
    if (conn?.open === true) this.close(conn, null);
  }

  receive(id: number, text: string): void {
    const conn = this.connections.get(id);
    if (conn === undefined || !conn.open) return;
    conn.unread += text;
    while (conn.open && this.step(conn));
  }

  private step(conn: Connection): boolean {
    if (conn.awaited !== null) return this.readPayload(conn, conn.awaited);
    const first = conn.unread.charAt(0);
    if (first !== '' && conn.identity === null && first.toUpperCase() !== 'C') return this.close(conn, 'Authorization Violation');
    const { maxControlLine, maxPayload } = this.rules;
    const reading = readOperation(conn.unread, 0, { maxControlLine, maxPayload, headersAllowed: conn.session.headers });
    if (reading.kind === 'incomplete') return false;
    if (reading.kind === 'refused') return this.close(conn, reading.answer);
    conn.unread = conn.unread.slice(reading.next);
    this.perform(conn, reading.operation);
    return true;
  }

  private readPayload(conn: Connection, line: PublishLine): boolean {
    const reading = readPayload(conn.unread, 0, line.size);
    if (reading.kind === 'incomplete') return false;
    if (reading.kind === 'refused') {
      if (this.rules.slipstream) this.checkSubject(conn, line);
      return this.close(conn, reading.answer);
    }
    conn.unread = conn.unread.slice(reading.next);
    conn.awaited = null;
    if (this.rules.slipstream) this.checkSubject(conn, line);
    this.publish(conn, line, reading.payload);
    return true;
  }

  private perform(conn: Connection, operation: Operation): void {
    switch (operation.verb) {
      case 'PUB':
      case 'HPUB':
        conn.awaited = operation;
        if (!this.rules.slipstream) this.checkSubject(conn, operation);
        return;
      case 'SUB':
        return this.subscribe(conn, operation.subject, operation.queue, operation.sid);
      case 'UNSUB':
        return this.unsubscribe(conn, operation.sid, operation.max);
      case 'CONNECT':
        return this.connect(conn, operation.json);
      case 'PING':
        return this.witness.said(conn.id, 'PONG\r\n');
      case 'INFO':
        if (!isJsonObject(operation.json)) this.close(conn, null);
        return;
      case '-ERR':
        this.close(conn, null);
        return;
      case 'PONG':
      case '+OK':
        return;
    }
  }

  private checkSubject(conn: Connection, { subject }: PublishLine): void {
    if (conn.session.pedantic && !isLiteral(subject)) this.complain(conn, 'Invalid Publish Subject');
  }

  private connect(conn: Connection, json: string): void {
    this.dropSubscriptions(conn);
    const judgement = connect(conn.session, json);
    if ('refused' in judgement) {
      this.close(conn, judgement.refused);
      return;
    }
    const { session } = judgement;
    const user = this.rules.users?.get(session.user);
    if (this.rules.users !== null && user?.password !== session.password) {
      this.close(conn, 'Authorization Violation');
      return;
    }
    conn.identity = user ?? anybody;
    conn.session = session;
    conn.filtering = false;
    conn.replies.clear();
    this.agree(conn);
  }

  private subscribe(conn: Connection, subject: string, queue: string | null, sid: string): void {
    const permissions = conn.identity?.permissions ?? null;
    const tooWide = this.rules.slipstream && tooWideForQueue(permissions, subject, queue);
    if (!maySubscribe(permissions, subject, queue) || queue === '_sys_' || tooWide) {
      const using = queue === null ? '' : ` using queue ${this.quoted(queue)}`;
      return this.complain(conn, `Permissions Violation for Subscription to ${this.quoted(subject)}${using}`);
    }
    if (startsFilter(permissions, subject, queue)) conn.filtering = true;
    const { maxSubjectTokens, maxSubscriptions } = this.rules;
    if (maxSubjectTokens > 0 && subject.split('.').length > maxSubjectTokens) {
      return this.complain(conn, `Permissions Violation for Subscription to ${this.quoted(subject)}, too many tokens`);
    }
    if (maxSubscriptions > 0 && conn.subscriptions.size >= maxSubscriptions)
      return this.complain(conn, 'maximum subscriptions exceeded');
    if (!conn.subscriptions.has(sid)) {
      const value: Subscription = { conn, subject, queue, sid, received: 0, max: 0 };
      const entry = { subject, queue, value };
      if (!this.matcher(conn).insert(entry)) return this.complain(conn, 'Invalid Subject');
      conn.subscriptions.set(sid, entry);
    }
    this.agree(conn);
  }

  private unsubscribe(conn: Connection, sid: string, max: number): void {
    const entry = conn.subscriptions.get(sid);
    if (entry !== undefined) {
      entry.value.max = max;
      if (max <= entry.value.received || max <= 0) this.remove(entry);
    }
    this.agree(conn);
  }

  private publish(conn: Connection, line: PublishLine, payload: string): void {
    const { subject, reply } = line;
    if (subject.startsWith('_GR_.') || !this.mayPublish(conn, subject) || subject.startsWith('$NRG.')) {
      return this.complain(conn, `Permissions Violation for Publish to ${this.quoted(subject)}`);
    }
    if (
      reply !== null &&
      reservedReplies.some((prefix) => reply.startsWith(prefix) && (prefix === '_R_.' || reply.length > prefix.length))
    ) {
      return this.complain(conn, `Permissions Violation for Publish with Reply of ${this.quoted(reply)}`);
    }
    this.agree(conn);
    if (this.route(conn, line, payload) || reply === null || !conn.session.noResponders) return;
    const own = this.matcher(conn)
      .match(reply)
      .plain.filter((sub) => sub.conn === conn);
    const status = `NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`;
    const frames = own.map((sub) => ({
      conn: conn.id,
      text: `HMSG ${reply} ${sub.sid} ${status.length} ${status.length}\r\n${status}\r\n`,
    }));
    if (frames.length > 0) this.witness.delivered([], [frames]);
  }

  /** True when somebody got it. */
  private route(from: Connection, line: PublishLine, payload: string): boolean {
    const found = this.matcher(from).match(line.subject);
    const accepts = (sub: Subscription): boolean => {
      if (sub.conn === from && !from.session.echo) return false;
      const permissions = sub.conn.identity?.permissions ?? null;
      if (this.rules.slipstream) return !hasWildcard(sub.subject) || mayHear(permissions, line.subject);
      return !sub.conn.filtering || mayReceive(permissions, line.subject, sub.queue);
    };
    const all = found.plain.filter(accepts);
    const groups = [...found.groups.values()].map((members) => members.filter(accepts)).filter((members) => members.length > 0);
    const frame = (sub: Subscription): Frame => ({ conn: sub.conn.id, text: framed(sub, line, payload) });
    const picks = this.witness.delivered(
      all.map(frame),
      groups.map((members) => members.map(frame)),
    );
    const picked = groups.map((members, index) => members[picks[index] ?? 0]).filter((sub) => sub !== undefined);
    for (const sub of [...all, ...picked]) this.count(sub, line.reply);
    return all.length + picked.length > 0;
  }

  private count(sub: Subscription, reply: string | null): void {
    sub.received++;
    const entry = sub.conn.subscriptions.get(sub.sid);
    if (sub.max > 0 && sub.received >= sub.max && entry !== undefined) this.remove(entry);
    const permissions = sub.conn.identity?.permissions ?? null;
    if (reply !== null && permissions?.responses !== undefined && !this.mayPublish(sub.conn, reply))
      sub.conn.replies.set(reply, 0);
  }

  private mayPublish(conn: Connection, subject: string): boolean {
    const permissions = conn.identity?.permissions ?? null;
    if (mayPublish(permissions, subject)) return true;
    const sent = conn.replies.get(subject);
    if (sent === undefined || permissions?.responses === undefined) return false;
    const { max } = permissions.responses;
    if (max > 0 && sent + 1 > max) conn.replies.delete(subject);
    else conn.replies.set(subject, sent + 1);
    return max <= 0 || sent + 1 <= max;
  }

  private quoted(text: string): string {
    if (!this.rules.slipstream) return quoted(text);
    const readable = Buffer.from(text, 'latin1').toString('utf8');
    return quoted(Buffer.from(readable, 'utf8').toString('latin1'));
  }

  private matcher(conn: Connection): Matcher<Subscription> {
    const name = conn.identity?.account ?? '';
    const matcher = this.accounts.get(name) ?? new Matcher<Subscription>();
    this.accounts.set(name, matcher);
    return matcher;
  }

  private remove(entry: Entry<Subscription>): void {
    const { conn, sid } = entry.value;
    this.matcher(conn).remove(entry);
    conn.subscriptions.delete(sid);
  }

  private dropSubscriptions(conn: Connection): void {
    for (const entry of [...conn.subscriptions.values()]) this.remove(entry);
  }

  private agree(conn: Connection): void {
    if (conn.session.verbose) this.witness.said(conn.id, '+OK\r\n');
  }

  private complain(conn: Connection, text: string): void {
    this.witness.said(conn.id, `-ERR '${text}'\r\n`);
  }

  private close(conn: Connection, answer: string | null): false {
    if (answer !== null) this.complain(conn, answer);
    conn.open = false;
    this.dropSubscriptions(conn);
    this.witness.closed(conn.id);
    return false;
  }
}

function isJsonObject(json: string): boolean {
  try {
    const value = JSON.parse(json) as unknown;
    return value === null || (typeof value === 'object' && !Array.isArray(value));
  } catch {
    return false;
  }
}

/** The message as this subscription's connection is to see it. */
export function framed(sub: Subscription, line: PublishLine, payload: string): string {
  const middle = `${line.subject} ${sub.sid} ${line.reply === null ? '' : `${line.reply} `}`;
  if (line.headerSize <= 0) return `MSG ${middle}${line.sizeText}\r\n${payload}\r\n`;
  if (sub.conn.session.headers) return `HMSG ${middle}${line.headerSizeText} ${line.sizeText}\r\n${payload}\r\n`;
  const body = payload.slice(line.headerSize);
  return `MSG ${middle}${body.length}\r\n${body}\r\n`;
}
