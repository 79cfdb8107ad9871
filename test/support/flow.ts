/**
 * Flows: dialogues with JetStream that go over several subjects, recorded on nats-server and replayed on Slipstream. A file of lines:
 *
 *   listen SUBJECT            unlisten SUBJECT         close (and connect anew; listeners are gone)
 *   publish SUBJECT PAYLOAD   ask SUBJECT REPLY PAYLOAD (a publish with a reply subject)
 *   reply SUBJECT#N PAYLOAD   publishes to the reply subject of the n-th message heard there;  reply SUBJECT#N > TO PAYLOAD: with a reply
 *   wait MS                   nothing else happens for so long; where something is to be heard, no longer than until it was
 *   until MS SUBJECT REPLY PAYLOAD   asked after so long when it is recorded; asked again until the answer is that, when it is replayed
 *   ignore TEXT               messages with this text are passed over from now on
 *   restart                   the server is stopped and started over the same store
 *
 * `{{Name: value; Name: value}}` at the front of a payload are headers. Indented lines below a step are what was heard after it: the
 * subject listened on, the message's subject, its reply, headers and payload. What differs from run to run is written as `<time>`,
 * `<id>` and so on; pins and generated names as `<pin1>`, which later payloads may use.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ServerProcess } from './server.ts';
import { WireClient } from './wire.ts';

export interface Step {
  readonly line: string;
  readonly heard: readonly string[];
}

export function parseFlow(text: string): Step[] {
  const steps: { line: string; heard: string[] }[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('  ')) steps.at(-1)?.heard.push(line.slice(2));
    else steps.push({ line, heard: [] });
  }
  return steps;
}

export function formatFlow(steps: readonly Step[]): string {
  return steps.map(({ line, heard }) => [line, ...heard.map((text) => `  ${text}`)].join('\n')).join('\n') + '\n';
}

/** What each listener heard, in order: between listeners the real server has no fixed order. */
export function byListener(heard: readonly string[]): Record<string, string[]> {
  const out: Record<string, string[]> = {};
  for (const text of heard) (out[text.split(' ')[0] ?? ''] ??= []).push(text);
  return out;
}

/** How often is looked for what is to come, and how long it may take. */
const LOOK_MS = 10;
const MOST_LOOKS = 2_000;

interface Heard {
  readonly pattern: string;
  readonly text: string;
  readonly reply: string;
}

/** Lines of messages; those of nats-server's own have a space too many. */
const written = /^(H?MSG) (\S+) (\d+) +(?:(\S+) +)??(?:(\d+) +)?(\d+)$/;

export class FlowPlayer {
  #server: ServerProcess;
  #client: WireClient | undefined;
  readonly #restart: (server: ServerProcess) => Promise<ServerProcess>;
  readonly #patterns = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #heard: Heard[] = [];
  readonly #ignored: string[] = [];
  #lastSid = 0;

  constructor(server: ServerProcess, restart: (server: ServerProcess) => Promise<ServerProcess>) {
    this.#server = server;
    this.#restart = restart;
  }

  get server(): ServerProcess {
    return this.#server;
  }

  async #connected(): Promise<WireClient> {
    if (this.#client !== undefined) return this.#client;
    const { client } = await WireClient.greeted(this.#server.port);
    await client.write('CONNECT {"verbose":false,"headers":true,"no_responders":true,"protocol":1}\r\n');
    this.#client = client;
    return client;
  }

  async end(): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
    this.#patterns.clear();
  }

  /** Does one step. What is `wanted` is waited for; undefined: until nothing comes any more. */
  async play(line: string, wanted?: readonly string[]): Promise<string[]> {
    const before = this.#heard.length;
    if (wanted === undefined) {
      await this.#do(line);
      await this.#silence(await this.#connected());
    } else if (line.startsWith('until ')) await this.#ask(line, before, wanted);
    else {
      if (!line.startsWith('wait ') || wanted.length === 0) await this.#do(line);
      await this.#await(before + wanted.length);
    }
    return this.#since(before);
  }

  #since(before: number): string[] {
    return this.#heard.slice(before).map(({ text }) => text);
  }

  async #await(count: number): Promise<void> {
    const client = await this.#connected();
    for (let looks = 0; ; looks++) {
      await this.#take(client);
      if (this.#heard.length >= count || looks === MOST_LOOKS) return;
      await delay(LOOK_MS);
    }
  }

  /** Asks until everything is as wanted. */
  async #ask(line: string, before: number, wanted: readonly string[]): Promise<void> {
    const question = line.replace(/^until \d+/, 'ask');
    for (let looks = 0; ; looks++) {
      await this.#do(question);
      await this.#await(before + wanted.length);
      if (looks === MOST_LOOKS || isDeepStrictEqual(byListener(this.#since(before)), byListener(wanted))) return;
      await delay(LOOK_MS);
      this.#heard.length = before;
    }
  }

  async #silence(client: WireClient): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      const before = this.#heard.length;
      await delay(60);
      await this.#take(client);
      quiet = this.#heard.length === before ? quiet + 1 : 0;
    }
  }

  /** Reads what has arrived, and what a round trip brings. */
  async #take(client: WireClient): Promise<void> {
    await client.write('PING\r\n');
    for (;;) {
      const line = await client.line();
      if (line === 'PONG') return;
      const parts = written.exec(line);
      if (parts === null) {
        if (line.startsWith('-ERR')) this.#heard.push({ pattern: '', text: line, reply: '' });
        continue;
      }
      const [, , subject = '', sid = '', reply = '', headerLength, length] = parts;
      const body = await client.bytes(Number(length) + 2);
      const headers = body.slice(0, Number(headerLength ?? 0));
      const pattern = this.#patterns.get(sid) ?? '';
      const text = [
        pattern,
        this.#plain(subject),
        reply === '' ? '-' : this.#plain(reply),
        headers === '' ? '-' : this.#plain(JSON.stringify(headers)),
        this.#plain(body.slice(headers.length, -2)),
      ].join(' ');
      if (!this.#ignored.some((ignored) => text.includes(ignored))) this.#heard.push({ pattern, text: text.trimEnd(), reply });
    }
  }

  async #do(line: string): Promise<void> {
    const [verb = '', first = '', second = ''] = line.split(' ');
    const rest = (words: number): string => line.split(' ').slice(words).join(' ');
    switch (verb) {
      case '#':
        return;
      case 'listen': {
        const sid = String(++this.#lastSid);
        this.#patterns.set(sid, first);
        return (await this.#connected()).write(`SUB ${first} ${sid}\r\n`);
      }
      case 'unlisten': {
        for (const [sid, pattern] of this.#patterns)
          if (pattern === first) await (await this.#connected()).write(`UNSUB ${sid}\r\n`);
        return;
      }
      case 'publish':
        return this.#publish(first, '', rest(2));
      case 'ask':
        return this.#publish(first, second, rest(3));
      case 'reply': {
        const to = this.#replyOf(first);
        return second === '>' ? this.#publish(to, rest(3).split(' ')[0] ?? '', rest(4)) : this.#publish(to, '', rest(2));
      }
      case 'wait':
        await delay(Number(first));
        return;
      case 'until':
        await delay(Number(first));
        return this.#do(line.replace(/^until \d+/, 'ask'));
      case 'ignore':
        this.#ignored.push(rest(1));
        return;
      case 'close':
        return this.end();
      case 'restart':
        await this.end();
        this.#server = await this.#restart(this.#server);
        return;
      default:
        throw new Error(`unknown step: ${line}`);
    }
  }

  #replyOf(which: string): string {
    const [pattern = '', count = '1'] = which.split('#');
    const heard = this.#heard.filter((message) => message.pattern === pattern && message.reply !== '')[Number(count) - 1];
    if (heard === undefined) throw new Error(`no message ${which} with a reply subject`);
    return heard.reply;
  }

  async #publish(subject: string, reply: string, given: string): Promise<void> {
    const [, block, body = ''] = /^(?:\{\{(.*?)\}\})?(.*)$/s.exec(given) ?? [];
    let payload = body;
    for (const [value, name] of this.#names) payload = payload.replaceAll(name, value);
    const to = reply === '' ? '' : ` ${reply}`;
    const client = await this.#connected();
    if (block === undefined) return client.write(`PUB ${subject}${to} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
    const headers = `NATS/1.0\r\n${block.split('; ').join('\r\n')}\r\n\r\n`;
    return client.write(`HPUB ${subject}${to} ${headers.length} ${headers.length + payload.length}\r\n${headers}${payload}\r\n`);
  }

  /** The name that stands for a value of this run, the same each time it appears. */
  #named(kind: string, value: string): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const count = [...this.#names.values()].filter((name) => name.startsWith(`<${kind}`)).length;
    const name = `<${kind}${count + 1}>`;
    this.#names.set(value, name);
    return name;
  }

  #plain(text: string): string {
    let out = text
      .replace(/"(created|ts|first_ts|last_ts|time|last_active|pinned_ts|timestamp)":"2[^"]*"/g, '"$1":"<time>"')
      .replace(/"leader":"[^"]*"/g, '"leader":"<server>"')
      .replace(/"pause_remaining":\d+/g, '"pause_remaining":1')
      .replace(/"ack_time":\d+/g, '"ack_time":1')
      .replace(/"id":"[0-9A-Za-z]{22}"/g, '"id":"<id>"')
      .replace(/"name":"([0-9A-Za-z]{8})"/g, (_, name: string) => `"name":"${this.#named('name', name)}"`)
      .replace(/\b(CREATED|DELETED)\.(\w+)\.([0-9A-Za-z]{8})$/, (_, what: string, stream: string, name: string) => {
        return `${what}.${stream}.${this.#named('name', name)}`;
      })
      .replace(/Time-Stamp: [^\r\\]*/g, 'Time-Stamp: <time>')
      .replace(/(\$JS\.FC\.[^.\s]+\.[^.\s]+)\.[0-9A-Za-z]{4}\b/g, '$1.<fc>')
      .replace(/(\$JS\.ACK\.[^.\s]+\.[^.\s]+\.\d+\.\d+\.\d+)\.\d+\./g, '$1.<ns>.')
      .replace(/Nats-Pin-Id: ([0-9A-Za-z]+)/g, (_, pin: string) => `Nats-Pin-Id: ${this.#named('pin', pin)}`)
      .replace(
        /"(pinned_client_id|pinned_id)":"([^"]+)"/g,
        (_, key: string, pin: string) => `"${key}":"${this.#named('pin', pin)}"`,
      );
    for (const [value, name] of this.#names) out = out.replaceAll(value, name);
    return out;
  }
}
