/**
 * A stream whose sync failed goes on without a restart, over the real kernel and store: what was not promised is forgotten everywhere, and
 * whoever waited goes on.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { held, type Held } from '../../../support/held-jetstream.ts';

/** Longer than a stream waits before it tries the disk again. */
const RETRY_MS = 1500;

async function begun(context: TestContext): Promise<Held> {
  const server = await held(context);
  for (const [sid, subject] of ['r', 'in', 'ack'].entries()) server.peer.say(`SUB ${subject} ${sid + 1}\r\n`);
  return server;
}

async function api(server: Held, subject: string, document: object): Promise<string> {
  const text = server.ask(`$JS.API.${subject}`, JSON.stringify(document)) + (await server.release());
  assert.doesNotMatch(text, /"error"/, subject);
  return text;
}

/** Headers of a publish. */
function withHeaders(server: Held, subject: string, headers: string, payload: string): string {
  const block = `NATS/1.0\r\n${headers}\r\n\r\n`;
  server.peer.say(`HPUB ${subject} ack ${block.length} ${block.length + payload.length}\r\n${block}${payload}\r\n`);
  return server.peer.heard();
}

/** The sync under way fails, then the disk is well again and the stream goes on. */
async function faultAndRevival(server: Held, stream = 'S'): Promise<void> {
  server.failSync('EIO');
  const takes = async (): Promise<string> =>
    server.ask(`$JS.API.STREAM.PURGE.${stream}`, '{"filter":"nothing"}') + (await server.release());
  assert.match(await takes(), /"error"/, 'the stream writes no more');
  server.clock.advance(RETRY_MS);
  while (/"error"/.test(await takes()));
}

const messagesOf = (info: string): number => Number(/"messages":(\d+)/.exec(info)?.[1]);

for (const [kind, config] of [
  ['mirror', { mirror: { name: 'O' } }],
  ['source', { sources: [{ name: 'O' }] }],
] as const) {
  test(`a ${kind} takes again what its stream could not keep, and goes on`, async (context) => {
    const server = await begun(context);
    await api(server, 'STREAM.CREATE.O', { name: 'O', subjects: ['o'], storage: 'memory' });
    await api(server, 'STREAM.CREATE.COPY', { name: 'COPY', ...config });
    server.ask('o', 'one');
    await server.release();
    server.ask('o', 'two');
    await faultAndRevival(server, 'COPY');
    server.ask('o', 'three');
    await server.release();
    assert.equal(messagesOf(await api(server, 'STREAM.INFO.COPY', {})), 3);
    const second = await api(server, 'STREAM.MSG.GET.COPY', { seq: 2 });
    assert.ok(second.includes(Buffer.from('two').toString('base64')), second);
  });
}

test('the TTL of a message that was not kept does not end the message that has its sequence now', async (context) => {
  const server = await begun(context);
  await api(server, 'STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], allow_msg_ttl: true });
  withHeaders(server, 's.a', 'Nats-TTL: 5', 'short');
  await faultAndRevival(server);
  server.ask('s.b', 'stays');
  await server.release();
  server.clock.advance(20_000);
  await server.release();
  assert.equal(messagesOf(await api(server, 'STREAM.INFO.S', {})), 1);
});

test('a TTL outlives the fault of its stream', async (context) => {
  const server = await begun(context);
  await api(server, 'STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], allow_msg_ttl: true });
  withHeaders(server, 's.a', 'Nats-TTL: 5', 'short');
  await server.release();
  server.ask('s.b', 'lost');
  await faultAndRevival(server);
  server.clock.advance(20_000);
  await server.release();
  assert.equal(messagesOf(await api(server, 'STREAM.INFO.S', {})), 0);
});

test('a schedule whose replacement was not kept goes on as it was', async (context) => {
  const server = await begun(context);
  await api(server, 'STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], allow_msg_schedules: true });
  withHeaders(server, 's.plan', 'Nats-Schedule: @every 5s\r\nNats-Schedule-Target: s.old', 'old');
  await server.release();
  withHeaders(server, 's.plan', 'Nats-Schedule: @every 5s\r\nNats-Schedule-Target: s.new', 'new');
  await faultAndRevival(server);
  server.clock.advance(12_000);
  await server.release();
  const info = await api(server, 'STREAM.INFO.S', { subjects_filter: '>' });
  assert.match(info, /"s\.old":[12]/);
  assert.doesNotMatch(info, /"s\.new"/);
});

test('a consumer that was created when the disk failed delivers when the stream goes on', async (context) => {
  const server = await begun(context);
  await api(server, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'] });
  server.ask('s', 'hello');
  await server.release();
  server.ask(
    '$JS.API.CONSUMER.CREATE.S.C',
    '{"stream_name":"S","config":{"name":"C","durable_name":"C","ack_policy":"explicit"}}',
  );
  await faultAndRevival(server);
  assert.match(server.ask('$JS.API.CONSUMER.MSG.NEXT.S.C', '{"batch":1}', 'in'), /MSG s 2 \S+ 5\r\nhello/);
});

test('what nobody is interested in leaves the stream also when it has the sequence of a message that was not kept', async (context) => {
  const server = await begun(context);
  await api(server, 'STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], retention: 'interest' });
  const consumer = { name: 'C', durable_name: 'C', ack_policy: 'explicit', filter_subject: 's.wanted' };
  await api(server, 'CONSUMER.CREATE.S.C', { stream_name: 'S', config: consumer });
  server.ask('s.wanted', 'lost');
  server.ask('$JS.API.STREAM.INFO.S', '');
  await faultAndRevival(server);
  server.ask('s.unwanted', 'nobody');
  await server.release();
  assert.equal(messagesOf(await api(server, 'STREAM.INFO.S', {})), 0);
});

test('a fast batch that lost messages is not gone on with', async (context) => {
  const server = await begun(context);
  await api(server, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'], allow_batched: true });
  const publish = (sequence: number, operation: number): string =>
    server.ask('s', `m${sequence}`, `ack.batch.10.fail.${sequence}.${operation}.$FI`);
  server.peer.say('SUB ack.> 9\r\n');
  publish(1, 0);
  await server.release();
  publish(2, 1);
  await faultAndRevival(server);
  const text = publish(3, 2) + (await server.release());
  assert.doesNotMatch(text, /"batch":"batch","count":3/, text);
  assert.match(text, /"error"/, text);
});
