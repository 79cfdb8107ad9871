/**
 * Direct gets that the kernel answers by itself, against those the host answers: the same question in its plain form and in one that only the
 * host reads, over random messages, deletes, erases, purges and a disk that holds its syncs back. Answers are the same to the byte.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { effort, holdsInTime } from '../../../oracle/check.ts';
import { held, type Held } from '../../../support/held-jetstream.ts';

type Change =
  | { readonly is: 'publish'; readonly token: string; readonly headers: string; readonly size: number }
  | { readonly is: 'delete'; readonly seq: number; readonly erase: boolean }
  | { readonly is: 'purge'; readonly token: string };
type Question = { readonly token: string } | { readonly seq: number };

interface Round {
  readonly changes: readonly Change[];
  readonly synced: boolean;
  readonly questions: readonly Question[];
}

const token = fc.constantFrom('a', 'b', 'c.d', 'ä', '*');
const headers = fc.constantFrom('', '', 'NATS/1.0\r\nK: v\r\n\r\n', 'NATS/1.0\r\nA: 1\r\nA: 2\r\nNats-Stream: X\r\n\r\n');
const seq = fc.integer({ min: 1, max: 24 });
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ is: fc.constant('publish' as const), token, headers },
      size: fc.oneof(fc.nat(40), fc.constantFrom(4_000, 9_000, 70_000)),
    }),
  },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('delete' as const), seq, erase: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('purge' as const), token }) },
);
const question = fc.oneof(fc.record({ token }), fc.record({ seq }));
const round: fc.Arbitrary<Round> = fc.record({
  changes: fc.array(change, { maxLength: 6 }),
  synced: fc.boolean(),
  questions: fc.array(question, { minLength: 1, maxLength: 6 }),
});
const settings = fc.record({
  storage: fc.constantFrom('file', 'memory'),
  compression: fc.constantFrom('none', 's2'),
  max_msgs_per_subject: fc.constantFrom(-1, 1, 3),
});

/** The messages a client was sent, by subject; errors for subjects with a star and pings are passed over. */
function bySubject(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (let at = 0; at < text.length;) {
    const lineEnd = text.indexOf('\r\n', at) + 2;
    const words = text.slice(at, lineEnd - 2).split(' ');
    const end = words[0] === '-ERR' || words[0] === 'PING' ? lineEnd : lineEnd + Number(words.at(-1)) + 2;
    const subject = words[1] ?? '';
    found.set(subject, [...(found.get(subject) ?? []), text.slice(at, end)]);
    at = end;
  }
  return found;
}

function make(server: Held, stream: string, { is, ...what }: Change): void {
  if ('size' in what) {
    const { token: name, headers: block, size } = what;
    const payload = block + 'x'.repeat(size);
    const subject = Buffer.from(`${stream}.${name}`).toString('latin1');
    if (block === '') server.peer.say(`PUB ${subject} ${size}\r\n${payload}\r\n`);
    else server.peer.say(`HPUB ${subject} ${block.length} ${payload.length}\r\n${payload}\r\n`);
  } else if (is === 'purge' && 'token' in what)
    server.ask(`$JS.API.STREAM.PURGE.${stream}`, JSON.stringify({ filter: `${stream}.${what.token}` }), 'api');
  else if ('seq' in what)
    server.ask(`$JS.API.STREAM.MSG.DELETE.${stream}`, JSON.stringify({ seq: what.seq, no_erase: !what.erase }), 'api');
}

/** Asks in the plain form and then in one that only the host reads, for answers on the same subject. */
function ask(server: Held, stream: string, asked: Question, reply: string): string {
  const direct = `$JS.API.DIRECT.GET.${stream}`;
  if ('seq' in asked)
    return (
      server.ask(direct, `{"seq":${asked.seq}}`, reply) +
      server.ask(direct, `{"seq": ${asked.seq}}`, reply) +
      server.ask(direct, `{"seq":${asked.seq},"batch":0}`, reply)
    );
  const subject = Buffer.from(`${stream}.${asked.token}`).toString('latin1');
  return (
    server.ask(`${direct}.${subject}`, '', reply) +
    server.ask(`${direct}.${subject}`, '', reply) +
    server.ask(`${direct}.${subject}`, '{}', reply)
  );
}

test('what the kernel answers is to the byte what the host answers', async (context) => {
  const server = await held(context);
  server.peer.say('SUB r.* 1\r\n');
  const hosted = context.mock.method(server.broker.host, 'dispatch');
  let asked = 0;
  let streams = 0;
  const runs = fc.asyncProperty(settings, fc.array(round, { maxLength: 8 }), async (config, rounds) => {
    const stream = `S${++streams}`;
    const document = { name: stream, subjects: [`${stream}.>`], allow_direct: true, ...config };
    server.peer.say('PONG\r\n');
    server.ask(`$JS.API.STREAM.CREATE.${stream}`, JSON.stringify(document), 'api');
    await server.release();
    for (const { changes, synced, questions } of rounds) {
      for (const one of changes) make(server, stream, one);
      if (synced) await server.release();
      const before = hosted.mock.callCount();
      let text = questions.map((one, i) => ask(server, stream, one, `r.${i}`)).join('');
      asked += 3 * questions.length - (hosted.mock.callCount() - before);
      text += await server.release();
      const answers = bySubject(text);
      for (const [i, one] of questions.entries()) {
        const [first, second, third, ...more] = answers.get(`r.${i}`) ?? [];
        assert.ok(first !== undefined && more.length === 0, `${JSON.stringify(one)}: ${text.slice(0, 500)}`);
        assert.equal(first, third, JSON.stringify(one));
        assert.equal(second, third, JSON.stringify(one));
      }
    }
    server.ask(`$JS.API.STREAM.DELETE.${stream}`, '', 'api');
    await server.release();
  });
  await holdsInTime(runs, effort(60));
  console.log('asked', asked);
  assert.ok(asked > 100, `the kernel answered ${asked} by itself`);
});
