/**
 * Atomic batches whose plain members the kernel puts aside by itself, beside the same batches on a stream whose publishes all come to the host
 * (it republishes, to where nobody listens): both answer, store and give up the same, whatever clients say.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { held, type Held } from '../../../support/held-jetstream.ts';

interface Said {
  readonly id: 'x' | 'y';
  readonly place: 'next' | 'first' | 'skipped';
  readonly commit: '' | '1' | 'eob' | '2';
  readonly more: string;
  readonly reply: boolean;
  readonly subject: string;
  readonly payload: string;
  /** What it says arrives together with what comes before. */
  readonly together: boolean;
}

const usually = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 2, arbitrary: fc.constantFrom(usual, ...others) });

/** What members say besides. */
const asking = [
  'Own: 1\r\n',
  'Nats-Msg-Id: 1\r\n',
  'Nats-Msg-Id: 2\r\n',
  'Nats-Expected-Last-Sequence: 2\r\n',
  'Nats-Rollup: sub\r\n',
  'Nats-Incr:1\r\n',
  'Nats-TTL:1\r\n',
  'Nats-X:\r\n',
  'Nats-Batch-Id: other\r\n',
  'Nats-Batch-Sequence: 1\r\n',
  'Nats-Required-Api-Level: 1\r\n',
  'Nats-Required-Api-Level: 99\r\n',
  'nats-batch-commit: 1\r\n',
];

const said: fc.Arbitrary<Said> = fc.record({
  id: fc.constantFrom('x', 'y'),
  place: usually<Said['place']>('next', 'first', 'skipped'),
  commit: fc.oneof(
    { weight: 5, arbitrary: fc.constant('' as const) },
    fc.constantFrom('1' as const, '1' as const, 'eob' as const, '2' as const),
  ),
  more: usually('', ...asking),
  reply: usually(false, true),
  subject: fc.constantFrom('a', 'b'),
  payload: usually('x', '', 'y'.repeat(301)),
  together: fc.boolean(),
});

function member(differs: Partial<Said>): Said {
  return { id: 'x', place: 'next', commit: '', more: '', reply: false, subject: 'a', payload: 'x', together: true, ...differs };
}

const limits = fc.constantFrom<object>(
  {},
  { discard: 'new', max_msgs: 14 },
  { discard: 'new', max_bytes: 1500 },
  { discard: 'new', max_msgs: 14, max_msgs_per_subject: 6, discard_new_per_subject: true },
  { max_msgs: 5 },
  { storage: 'memory', discard: 'new', max_bytes: 1000 },
);

const firstHeaders = (id: string, place: number): string =>
  `NATS/1.0\r\nNats-Batch-Id: ${id}\r\nNats-Batch-Sequence: ${place}\r\n`;

/** What a client writes, in pieces that arrive one by one. */
function conversation(stream: string, all: readonly Said[]): string[] {
  const pieces: string[] = [''];
  const at = { x: 0, y: 0 };
  for (const { id, place, commit, more, reply, subject, payload, together } of all) {
    const number = place === 'first' ? 1 : at[id] + (place === 'next' ? 1 : 2);
    at[id] = commit === '' ? number : 0;
    const headers = `${firstHeaders(id, number)}${more}${commit === '' ? '' : `Nats-Batch-Commit: ${commit}\r\n`}\r\n`;
    const wants = reply || commit !== '' ? ' r' : '';
    const text = `HPUB ${stream}.${subject}${wants} ${headers.length} ${headers.length + payload.length}\r\n${headers}${payload}\r\n`;
    if (together) pieces.push(pieces.pop() + text);
    else pieces.push(text);
  }
  return pieces;
}

/** What the client hears, without what tells the two streams apart. */
function plain(heard: string, stream: string): string {
  return heard
    .replaceAll('PING\r\n', '')
    .replaceAll(new RegExp(`\\b${stream}\\b`, 'g'), 'S')
    .replaceAll(/"(id|timestamp|time)":"[^"]*"/g, '"$1":""')
    .replaceAll(/^(MSG|HMSG) (.*?)( \d+)+$/gm, '$1 $2');
}

async function heardOn(server: Held, stream: string, all: readonly Said[]): Promise<string[]> {
  const heard: string[] = [];
  for (const piece of conversation(stream, all)) {
    server.peer.say(piece);
    heard.push(plain(server.peer.heard() + (await server.release()), stream));
  }
  for (let seq = 1; ; seq++) {
    const message = server.ask(`$JS.API.STREAM.MSG.GET.${stream}`, `{"seq":${seq}}`) + (await server.release());
    heard.push(plain(message, stream));
    if (seq > all.length) return heard;
  }
}

test('the kernel and the host are of one mind about every batch', async (context) => {
  const server = await held(context);
  server.peer.say('SUB r 1\r\nSUB $JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.> 2\r\n');
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 30 }), limits, async (all, limited) => {
      number++;
      const [left, right] = [`K${number}`, `H${number}`];
      const common = { allow_atomic: true, allow_rollup_hdrs: true, max_msg_size: 300, ...limited };
      for (const name of [left, right]) {
        const republish = name === right ? { republish: { src: '>', dest: `nobody.${number}.>` } } : {};
        const made = server.ask(
          `$JS.API.STREAM.CREATE.${name}`,
          JSON.stringify({ name, subjects: [`${name}.>`], ...common, ...republish }),
        );
        assert.match(made + (await server.release()), /"created"/);
      }
      try {
        assert.deepEqual(await heardOn(server, left, all), await heardOn(server, right, all));
      } finally {
        for (const name of [left, right]) server.ask(`$JS.API.STREAM.DELETE.${name}`, '');
        await server.release();
      }
    }),
    { numRuns: 150, examples: asking.map((more) => [[member({}), member({ more }), member({ commit: '1' })], {}]) },
  );
});

test('plain members of a batch do not come to the host', async (context) => {
  const server = await held(context);
  server.peer.say('SUB r 1\r\n');
  server.ask('$JS.API.STREAM.CREATE.S', JSON.stringify({ name: 'S', subjects: ['s'], allow_atomic: true }));
  await server.release();
  const before = server.handed();
  let text = '';
  for (let place = 1; place <= 12; place++) {
    const headers = `${firstHeaders('b', place)}${place === 12 ? 'Nats-Batch-Commit: 1\r\n' : ''}\r\n`;
    text += `HPUB s${place === 12 ? ' r' : ''} ${headers.length} ${headers.length + 1}\r\n${headers}x\r\n`;
  }
  server.peer.say(text);
  assert.match(await server.release(), /"seq":12,"batch":"b","count":12/);
  assert.equal(server.handed() - before, 2, 'the first and the last');
});

test('what waits of a batch that nobody goes on with is given up', async (context) => {
  const server = await held(context);
  server.peer.say('SUB r 1\r\nSUB $JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.> 2\r\n');
  server.ask('$JS.API.STREAM.CREATE.S', JSON.stringify({ name: 'S', subjects: ['s'], allow_atomic: true }));
  await server.release();
  const publish = (place: number, reply = ''): void => {
    const headers = `${firstHeaders('b', place)}\r\n`;
    server.peer.say(`HPUB s${reply} ${headers.length} ${headers.length + 1}\r\n${headers}x\r\n`);
  };
  publish(1);
  server.clock.advance(6_000);
  publish(2);
  server.clock.advance(6_000);
  assert.doesNotMatch(await server.release(), /timeout/, 'the second one was a sign of life');
  server.clock.advance(4_000);
  assert.match(await server.release(), /"batch":"b","reason":"timeout"/);
  publish(3, ' r');
  assert.match(await server.release(), /10176/);
});
