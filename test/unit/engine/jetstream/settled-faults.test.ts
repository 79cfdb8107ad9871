/**
 * A disk that fails while consumers acknowledge: what a consumer is done with does not come back to a stream that keeps messages only for consumers,
 * and who asked for a confirmation gets it when what it says is on disk, however long that takes.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { held, type Held } from '../../../support/held-jetstream.ts';
import { openTestStore } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';

/** Longer than a stream waits before it tries the disk again. */
const RETRY_MS = 1500;
const MESSAGES = 5;

async function api(server: Held, subject: string, document: object): Promise<string> {
  const text = server.ask(`$JS.API.${subject}`, JSON.stringify(document)) + (await server.release());
  assert.doesNotMatch(text, /"error"/, subject);
  return text;
}

interface Prepared {
  readonly server: Held;
  /** Where each delivered message is acknowledged. */
  readonly acks: readonly string[];
}

/** A stream with messages that its consumer has got. */
async function delivered(context: TestContext, retention: string): Promise<Prepared> {
  const server = await held(context);
  for (const [sid, subject] of ['r', 'd', 'ok.>'].entries()) server.peer.say(`SUB ${subject} ${sid + 1}\r\n`);
  await api(server, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'], retention });
  const config = { name: 'C', durable_name: 'C', ack_policy: 'explicit' };
  await api(server, 'CONSUMER.CREATE.S.C', { stream_name: 'S', config });
  for (let n = 0; n < MESSAGES; n++) server.ask('s', `message ${n}`);
  await server.release();
  const heard = server.ask('$JS.API.CONSUMER.MSG.NEXT.S.C', `{"batch":${MESSAGES},"no_wait":true}`, 'd');
  const acks = [...heard.matchAll(/\$JS\.ACK\.S\.C\.\S+/g)].map(([reply]) => reply);
  assert.equal(acks.length, MESSAGES);
  return { server, acks };
}

/** Waits until the stream writes again; what the client heard meanwhile. */
async function revived(server: Held): Promise<string> {
  let text = '';
  for (let heard = '"error"'; heard.includes('"error"'); text += heard) {
    server.clock.advance(RETRY_MS);
    heard = await server.release();
    heard += server.ask('$JS.API.STREAM.PURGE.S', '{"filter":"nothing"}') + (await server.release());
  }
  return text;
}

async function messagesIn(server: Held): Promise<number> {
  return Number(/"messages":(\d+)/.exec(await api(server, 'STREAM.INFO.S', {}))?.[1]);
}

for (const retention of ['workqueue', 'interest']) {
  test(`what a consumer of ${retention} acknowledged as the sync failed is gone when the stream goes on, and confirmed`, async (context) => {
    const { server, acks } = await delivered(context, retention);
    let heard = acks.map((ack, n) => server.ask(ack, '+ACK', `ok.${n}`)).join('');
    heard += server.failSync('EIO');
    assert.doesNotMatch(heard, /MSG ok\./, 'nothing is confirmed that is not on disk');
    heard += await revived(server);
    for (let n = 0; n < MESSAGES; n++) assert.match(heard, new RegExp(`MSG ok\\.${n} 3 0\r\n`));
    assert.equal(await messagesIn(server), 0);
  });

  test(`what a consumer of ${retention} acknowledges while the stream writes nothing is gone when it goes on, and confirmed`, async (context) => {
    const { server, acks } = await delivered(context, retention);
    server.ask('s', 'lost');
    server.failSync('ENOSPC');
    let heard = acks.map((ack, n) => server.ask(ack, '+ACK', `ok.${n}`)).join('');
    assert.doesNotMatch(heard, /MSG ok\./);
    assert.match(server.ask('$JS.API.STREAM.INFO.S', '{}'), /"messages":5/, 'the stream answers');
    heard += await revived(server);
    for (let n = 0; n < MESSAGES; n++) assert.match(heard, new RegExp(`MSG ok\\.${n} 3 0\r\n`));
    assert.equal(await messagesIn(server), 0);
  });

  test(`a power failure behind a fault leaves no message in ${retention} that its consumer is done with`, async (context) => {
    const { server, acks } = await delivered(context, retention);
    const heard = acks.map((ack) => server.ask(ack, '+ACK', '')).join('');
    assert.equal(heard, '');
    server.failSync('EIO');
    // The state of the consumer is written now and then.
    server.clock.advance(500);
    const folder = temporaryFolder();
    server.leaveIn(folder, 'newest', (_synced, newest) => newest);
    const after = openTestStore(join(folder, 'js'));
    const stream = await after.store.recover(after.options('S', { retention: retention as 'workqueue' }));
    const [consumer] = stream.consumers();
    const { pending = [], delivered: { stream: upTo } = { stream: 0 } } = consumer?.state ?? {};
    for (let seq = 1; seq <= MESSAGES; seq++) {
      const isOver = seq <= upTo && !pending.some((message) => message.stream === seq);
      assert.equal(stream.get(seq) === undefined, isOver, `message ${seq} is there, or its consumer is done with it`);
    }
    await after.stop();
    removeFolder(folder);
  });
}

test('a confirmation that a full disk held back is sent when there is room', async (context) => {
  const { server, acks } = await delivered(context, 'limits');
  const [first = '', second = ''] = acks;
  server.ask('s', 'lost');
  assert.doesNotMatch(server.ask(first, '+ACK', 'ok.1') + server.failSync('ENOSPC'), /MSG ok/);
  assert.doesNotMatch(server.ask(second, '+ACK', 'ok.2'), /MSG ok/);
  const heard = await revived(server);
  assert.match(heard, /MSG ok\.1 3 0\r\n/);
  assert.match(heard, /MSG ok\.2 3 0\r\n/);
});
