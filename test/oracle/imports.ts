/**
 * Accounts that import from each other, by looking at everything in turn: the twin of wasm/deliver/crossing.ts and of the shadows that the
 * host makes. A stream import is looked at when a message is published: what it makes of the subject is matched against the importing
 * account's subscriptions. One-time reply subjects are all written alike, since nobody can know them.
 */
import { covers } from './matcher.ts';
import type { Frame } from './rules.ts';

export interface ModelImport {
  readonly kind: 'stream' | 'service';
  readonly from: string;
  readonly into: string;
  /** The subject in the account imported from, and in the importing one: `*` and `>` in the first, `$n` and `>` in the second. */
  readonly exported: string;
  readonly local: string;
  /** A service may answer more than once. */
  readonly many?: boolean;
}

export interface ModelSubscription {
  readonly conn: number;
  readonly account: string;
  readonly subject: string;
  readonly queue: string | null;
  readonly sid: string;
}

interface Response {
  readonly home: string;
  readonly account: string;
  readonly to: string;
  readonly import: ModelImport;
}

interface Message {
  readonly account: string;
  readonly subject: string;
  readonly reply: string;
  /** With headers in front. */
  readonly data: string;
  readonly headerSize: number;
  readonly response?: Response;
}

export const ONE_TIME = '_R_.AAAAAA.BBBBBB';

/** A frame whose reply is a one-time subject, and which. */
export interface Asked {
  readonly conn: number;
  readonly start: string;
  readonly response: Response;
}

/** `subject` matched by `pattern`, put into `template`, whose `$n` are the pattern's stars. */
function rewritten(subject: string, pattern: string, template: string): string {
  const parts = subject.split('.');
  const wanted = pattern.split('.');
  const stars = wanted.flatMap((token, at) => (token === '*' ? [parts[at] ?? ''] : []));
  const rest = parts.slice(wanted.length - 1);
  return template
    .split('.')
    .map((token) => (token === '>' ? rest.join('.') : token.startsWith('$') ? (stars[Number(token.slice(1)) - 1] ?? '') : token))
    .join('.');
}

/** The pattern and template of the way back: `w.*.*` and `x.$2.$1` become `x.*.*` and `w.$2.$1`. */
function inverse(pattern: string, template: string): readonly [string, string] {
  const order = template.split('.').filter((token) => token.startsWith('$'));
  const stars = template.split('.').map((token) => (token.startsWith('$') ? '*' : token));
  const back = pattern.split('.').map((token) => (token === '*' ? (order.shift() ?? '') : token));
  return [stars.join('.'), back.join('.')];
}

export class AccountsModel {
  readonly subscriptions = new Set<ModelSubscription>();
  readonly responses = new Map<string, Response>();
  all: Frame[] = [];
  groups: Frame[][] = [];
  asked: Asked[] = [];
  readonly #imports: readonly ModelImport[];
  readonly #unnamed = new Set<Response>();

  constructor(imports: readonly ModelImport[]) {
    this.#imports = imports;
  }

  /** What is to be delivered is in `all` and `groups` afterwards. */
  publish(account: string, subject: string, reply: string, payload: string): boolean {
    this.all = [];
    this.groups = [];
    this.asked = [];
    return this.#route({ account, subject, reply, data: payload, headerSize: 0 }, account, [], undefined);
  }

  /** The real subject of a response that somebody was asked with. */
  named(response: Response, subject: string): void {
    if (this.#unnamed.delete(response)) this.responses.set(subject, response);
  }

  #route(message: Message, asking: string, passed: readonly string[], real: string | undefined): boolean {
    const { account, subject } = message;
    let taken = this.#deliver(message, passed.length > 0);
    for (const one of this.#imports) {
      if (one.kind !== 'service' || one.into !== account) continue;
      const [pattern, template] = inverse(one.exported, one.local);
      if (covers(pattern, subject))
        taken = this.#ask(message, one, rewritten(subject, pattern, template), asking, passed) || taken;
    }
    const response = real === undefined ? this.responses.get(subject) : undefined;
    if (response !== undefined && response.home === account) {
      this.#answer(message, response, asking, passed);
      taken = true;
    }
    return taken || subject.startsWith('_R_.');
  }

  #deliver(message: Message, brought: boolean): boolean {
    const groups = new Map<string, Frame[]>();
    let taken = false;
    const give = (sub: ModelSubscription, subject: string): void => {
      taken = true;
      const frame = this.#frame(sub, subject, message);
      if (sub.queue === null) this.all.push(frame);
      else groups.set(sub.queue, [...(groups.get(sub.queue) ?? []), frame]);
    };
    for (const sub of this.subscriptions) {
      if (sub.account === message.account && covers(sub.subject, message.subject)) give(sub, message.subject);
    }
    for (const one of this.#imports) {
      if (brought || one.kind !== 'stream' || one.from !== message.account || !covers(one.exported, message.subject)) continue;
      const local = rewritten(message.subject, one.exported, one.local);
      for (const sub of this.subscriptions) if (sub.account === one.into && covers(sub.subject, local)) give(sub, local);
    }
    this.groups.push(...groups.values());
    return taken;
  }

  #frame({ conn, sid }: ModelSubscription, subject: string, { reply, data, headerSize, response }: Message): Frame {
    const start = `${headerSize > 0 ? 'HMSG' : 'MSG'} ${subject} ${sid} `;
    if (response !== undefined) this.asked.push({ conn, start, response });
    const sizes = headerSize > 0 ? `${headerSize} ${data.length}` : String(data.length);
    return { conn, text: `${start}${reply === '' ? '' : `${reply} `}${sizes}\r\n${data}\r\n` };
  }

  #await(message: Message, home: string, one: ModelImport): Pick<Message, 'reply'> & { response?: Response } {
    if (message.reply === '') return { reply: '' };
    const to = message.response === undefined ? message.reply : '';
    const response = { home, account: message.account, to, import: one };
    this.#unnamed.add(response);
    if (message.response !== undefined) this.#chained.set(response, message.response);
    return { reply: ONE_TIME, response };
  }

  /** A response whose reply goes on to another response. */
  readonly #chained = new Map<Response, Response>();

  #ask(message: Message, one: ModelImport, subject: string, asking: string, passed: readonly string[]): boolean {
    const key = `${one.from} ${one.exported}`;
    if (passed.includes(key)) return false;
    const payload = message.data.slice(message.headerSize);
    const via = passed.length > 0 ? `,"svc":"${message.account}"` : '';
    const head = `NATS/1.0\r\nNats-Request-Info: {"acc":"${asking}"${via}}\r\n\r\n`;
    const { reply, response } = this.#await(message, one.from, one);
    const sent = { account: one.from, subject, reply, data: head + payload, headerSize: head.length };
    const taken = this.#route(response === undefined ? sent : { ...sent, response }, asking, [...passed, key], undefined);
    if (!taken && response !== undefined) this.#unnamed.delete(response);
    return taken;
  }

  #answer(message: Message, response: Response, asking: string, passed: readonly string[]): void {
    const { import: one } = response;
    const key = `${one.from} ${one.exported}`;
    if (passed.includes(key)) return;
    const { reply, response: back } = this.#await(message, response.account, one);
    const next = this.#chained.get(response);
    const sent = {
      account: response.account,
      subject: next === undefined ? response.to : ONE_TIME,
      reply,
      data: message.data,
      headerSize: 0,
    };
    const onward = back === undefined ? sent : { ...sent, response: back };
    const taken =
      next === undefined
        ? this.#route(onward, asking, [...passed, key], undefined)
        : this.#onward(onward, next, asking, [...passed, key]);
    if (!taken && back !== undefined) this.#unnamed.delete(back);
    if (one.many !== true || message.data === '' || !taken) this.#forget(response);
  }

  /** A reply that goes back through one more account: those who listen there on everything hear it too. */
  #onward(message: Message, next: Response, asking: string, passed: readonly string[]): boolean {
    const heard = this.#deliver(message, true);
    const known = this.#unnamed.has(next) || [...this.responses.values()].includes(next);
    if (known) this.#answer(message, next, asking, passed);
    return heard || known;
  }

  #forget(response: Response): void {
    this.#unnamed.delete(response);
    for (const [subject, one] of this.responses) if (one === response) this.responses.delete(subject);
  }
}
