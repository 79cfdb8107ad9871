/**
 * Accounts that import from each other, the server in memory against the oracle: whoever subscribes, publishes, asks and answers, everybody
 * receives what the oracle says, and afterwards the kernel holds what it held before.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { effort, holds } from '../../oracle/check.ts';
import { AccountsModel, ONE_TIME, type ModelImport, type ModelSubscription } from '../../oracle/imports.ts';
import { MemoryServer, type MemoryPeer } from '../../oracle/memory-server.ts';
import { ReceivedBytes } from '../../oracle/witness.ts';

const imports: readonly ModelImport[] = [
  { kind: 'stream', from: 'A', into: 'B', exported: 's.>', local: 'p.s.>' },
  { kind: 'stream', from: 'A', into: 'B', exported: 't.*.*', local: 'u.$2.v.$1' },
  { kind: 'stream', from: 'A', into: 'C', exported: 's.a', local: 'a.b' },
  { kind: 'stream', from: 'B', into: 'C', exported: 'a.*', local: 'a.$1' },
  { kind: 'service', from: 'A', into: 'B', exported: 'q.*', local: 'b.q.$1' },
  { kind: 'service', from: 'B', into: 'C', exported: 'b.q.*', local: 'q.$1' },
  { kind: 'service', from: 'A', into: 'C', exported: 'z.>', local: 'a.z.>', many: true },
  { kind: 'service', from: 'C', into: 'A', exported: 'k', local: 's.k' },
  { kind: 'stream', from: 'A', into: 'C', exported: 'q.*', local: 'p.s.$1' },
  { kind: 'service', from: 'A', into: 'A', exported: 'n', local: 'n' },
];

function exportsOf(account: string): string {
  const rows = imports.filter((one) => one.from === account);
  return rows.map((one) => `{ ${one.kind}: "${one.exported}"${one.many === true ? ', response: stream' : ''} }`).join(', ');
}

function importsOf(account: string): string {
  const rows = imports.filter((one) => one.into === account);
  return rows
    .map((one) => `{ ${one.kind}: { account: ${one.from}, subject: "${one.exported}" }, to: "${one.local}" }`)
    .join(', ');
}

const accounts = ['A', 'B', 'C'] as const;
const config = `accounts { ${accounts
  .map(
    (name) =>
      `${name} { users: [ { user: ${name}, password: x } ], exports: [ ${exportsOf(name)} ], imports: [ ${importsOf(name)} ] }`,
  )
  .join('\n')} }`;

const literals = [
  's.a',
  's.k',
  's.b.c',
  't.a.b',
  't.b.v',
  'q.a',
  'b.q.a',
  'a.b',
  'a.z.x',
  'a.z.x.y',
  'z.x',
  'k',
  'p.s.a',
  'u.a.v.b',
  'n',
  'in.1',
];
const patterns = [
  '>',
  '*.*',
  's.>',
  'p.>',
  '*.s.a',
  'u.*.v.*',
  'u.b.>',
  'u.*.v.a',
  'q.*',
  'b.>',
  'b.q.*',
  'a.*',
  'a.>',
  'z.*',
  'z.>',
  'in.*',
];

type Step =
  | { readonly is: 'sub'; readonly conn: number; readonly subject: string; readonly queue: string | null }
  | { readonly is: 'unsub'; readonly nth: number }
  | { readonly is: 'pub'; readonly conn: number; readonly subject: string; readonly reply: string }
  | { readonly is: 'answer'; readonly nth: number; readonly empty: boolean; readonly reply: string };

const conn = fc.nat(5);
const reply = fc.constantFrom('', 'in.1', 'in.2');
const answer: fc.Arbitrary<Step> = fc.record({ is: fc.constant('answer' as const), nth: fc.nat(), empty: fc.boolean(), reply });
const step: fc.Arbitrary<Step> = fc.oneof(
  answer,
  answer,
  fc.record({
    is: fc.constant('sub' as const),
    conn,
    subject: fc.oneof(fc.constantFrom(...literals), fc.constantFrom(...patterns)),
    queue: fc.constantFrom(null, null, 'g', 'h'),
  }),
  fc.record({ is: fc.constant('unsub' as const), nth: fc.nat() }),
  fc.record({ is: fc.constant('pub' as const), conn, subject: fc.constantFrom(...literals), reply }),
);

/** One conversation: six connections, two of each account. */
class Conversation {
  readonly #model = new AccountsModel(imports);
  readonly #peers: readonly MemoryPeer[];
  readonly #read: number[];
  readonly #witness = new ReceivedBytes();
  /** One-time subjects that a connection was asked with. */
  readonly #heard: { readonly conn: number; readonly subject: string }[] = [];
  #count = 0;

  constructor(server: MemoryServer) {
    this.#peers = [...accounts, ...accounts].map((user) => {
      const peer = server.connect();
      peer.send(`CONNECT {"verbose":false,"user":"${user}","pass":"x","headers":true}\r\n`);
      return peer;
    });
    this.#read = this.#peers.map((peer) => peer.answers.length);
    for (const listener of [0, 1, 2]) this.#subscribe(listener, '>', null);
  }

  take(one: Step): void {
    if (one.is === 'sub') this.#subscribe(one.conn, one.subject, one.queue);
    else if (one.is === 'unsub') this.#unsubscribe(one.nth);
    else if (one.is === 'pub') this.#publish(one.conn, one.subject, one.reply, `m${++this.#count}`);
    else {
      const asked = this.#heard[one.nth % Math.max(1, this.#heard.length)];
      if (asked !== undefined) this.#publish(asked.conn, asked.subject, one.reply, one.empty ? '' : `m${++this.#count}`);
    }
  }

  end(): void {
    for (const peer of this.#peers) peer.hangUp();
  }

  #account(conn: number): string {
    return accounts[conn % accounts.length] ?? 'A';
  }

  #subscribe(conn: number, subject: string, queue: string | null): void {
    const sid = String(++this.#count);
    this.#model.subscriptions.add({ conn, account: this.#account(conn), subject, queue, sid });
    this.#peers[conn]?.send(`SUB ${subject} ${queue === null ? '' : `${queue} `}${sid}\r\n`);
  }

  #unsubscribe(nth: number): void {
    const all: readonly ModelSubscription[] = [...this.#model.subscriptions];
    const sub = all[nth % Math.max(1, all.length)];
    if (sub === undefined) return;
    this.#model.subscriptions.delete(sub);
    this.#peers[sub.conn]?.send(`UNSUB ${sub.sid}\r\n`);
  }

  #publish(conn: number, subject: string, reply: string, payload: string): void {
    this.#model.publish(this.#account(conn), subject, reply, payload);
    this.#peers[conn]?.send(`PUB ${subject} ${reply === '' ? '' : `${reply} `}${payload.length}\r\n${payload}\r\n`);
    const fresh = this.#peers.map((peer, i) => peer.answers.slice(this.#read[i]));
    this.#peers.forEach((peer, i) => {
      this.#read[i] = peer.answers.length;
      this.#witness.add(i, (fresh[i] ?? '').replaceAll(/_R_\.\w{6}\.\w{6}/g, ONE_TIME));
    });
    const alike = (text: string): string => text.replaceAll(/_R_\.\w{6}\.\w{6}/g, ONE_TIME);
    const frames = (list: readonly { conn: number; text: string }[]) =>
      list.map((one) => ({ conn: one.conn, text: alike(one.text) }));
    this.#witness.delivered(frames(this.#model.all), this.#model.groups.map(frames));
    this.#peers.forEach((_peer, i) => this.#witness.atEnd(i));
    for (const asked of this.#model.asked) this.#name(asked.conn, asked.start, fresh[asked.conn] ?? '', asked.response);
  }

  #name(conn: number, start: string, text: string, response: Parameters<AccountsModel['named']>[0]): void {
    const at = text.indexOf(start);
    const subject = at < 0 ? undefined : /^_R_\.\w{6}\.\w{6}/.exec(text.slice(at + start.length))?.[0];
    if (subject === undefined) return;
    this.#model.named(response, subject);
    if (!this.#heard.some((one) => one.subject === subject)) this.#heard.push({ conn, subject });
  }
}

for (const { name, ...where } of [{ name: 'at the bottom of memory' }, { name: 'above 2 GiB', arenaPage: 33_000 }]) {
  describe(`accounts that import, in the kernel ${name}`, () => {
    test('everybody receives what the oracle says', () => {
      const server = new MemoryServer({ ...where, config });
      const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const conversation = new Conversation(server);
        try {
          for (const one of steps) conversation.take(one);
        } finally {
          conversation.end();
        }
      });
      holds(property, effort(300));
      const forgotten = (): number => {
        server.clock.advance(200_000);
        return server.kernel.exports.liveBytes();
      };
      const before = forgotten();
      holds(property, effort(300));
      assert.ok(forgotten() - before < 60_000, `${forgotten() - before} bytes stay behind`);
      assert.equal(server.kernel.exports.subscriptions(), 0);
    });
  });
}
