/**
 * Nothing is shown before it is on disk: the whole of JetStream over the real kernel and a disk whose syncs end when the test says so.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { held, type Held } from '../../../support/held-jetstream.ts';

async function prepared(context: TestContext): Promise<Held> {
  const server = await held(context);
  for (const [sid, subject] of ['r', 'pub', 'push', 'pull', 'watch', 'ack'].entries())
    server.peer.say(`SUB ${subject} ${sid + 1}\r\n`);
  const documents: readonly (readonly [string, object])[] = [
    ['STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], allow_direct: true }],
    ['STREAM.CREATE.M', { name: 'M', mirror: { name: 'S' } }],
    ['CONSUMER.CREATE.S.PUSH', { stream_name: 'S', config: { name: 'PUSH', deliver_subject: 'push', ack_policy: 'none' } }],
    ['CONSUMER.CREATE.S.PULL', { stream_name: 'S', config: { name: 'PULL', durable_name: 'PULL', ack_policy: 'explicit' } }],
    [
      'CONSUMER.CREATE.S.WATCH',
      {
        stream_name: 'S',
        config: {
          name: 'WATCH',
          deliver_subject: 'watch',
          deliver_policy: 'last_per_subject',
          filter_subject: 's.>',
          ack_policy: 'none',
        },
      },
    ],
  ];
  for (const [subject, document] of documents) {
    const atOnce = server.ask(`$JS.API.${subject}`, JSON.stringify(document));
    assert.match(atOnce + (await server.release()), /"created"/, subject);
  }
  return server;
}

test('a message is shown to nobody before it is on disk, and to everybody then', async (context) => {
  const server = await prepared(context);
  assert.equal(server.ask('$JS.API.CONSUMER.MSG.NEXT.S.PULL', '{"batch":1}', 'pull'), '');
  assert.equal(server.ask('s.1', 'hello', 'pub'), '', 'neither acknowledged nor delivered');
  const asked = [
    server.ask('$JS.API.STREAM.MSG.GET.S', '{"seq":1}'),
    server.ask('$JS.API.DIRECT.GET.S.s.1', ''),
    server.ask('$JS.API.DIRECT.GET.M', '{"seq":1}'),
    server.ask('$JS.API.STREAM.INFO.S', ''),
  ];
  for (const answer of asked) assert.ok(!answer.includes('hello') && !answer.includes('"messages":1'), answer);

  const heard = await server.release();
  for (const listener of ['push', 'pull', 'watch']) {
    const sid = ['r', 'pub', 'push', 'pull', 'watch'].indexOf(listener) + 1;
    assert.match(heard, new RegExp(`MSG s\\.1 ${sid} \\S+ 5\r\nhello`), listener);
  }
  assert.match(heard, /MSG pub 2 \d+\r\n\{"stream":"S", ?"seq":1/);
  const mirror = server.ask('$JS.API.STREAM.INFO.M', '') + (await server.release());
  assert.match(mirror, /"name":"M".*"messages":1/, 'the mirror has it');
});

test('an acknowledgement is confirmed when the state that knows it is on disk', async (context) => {
  const server = await prepared(context);
  server.ask('s.1', 'hello', 'pub');
  await server.release();
  const delivered = server.ask('$JS.API.CONSUMER.MSG.NEXT.S.PULL', '{"batch":1}', 'pull');
  const reply = /MSG s\.1 4 (\S+) 5/.exec(delivered)?.[1];
  assert.ok(reply !== undefined, delivered);
  assert.equal(server.ask(reply, '+ACK', 'ack'), '');
  assert.match(await server.release(), /MSG ack 6 0\r\n/);
});

test('a new durable push consumer delivers after whoever made it was told of it, and not before it is on disk', async (context) => {
  const server = await prepared(context);
  server.ask('s.1', 'hello', 'pub');
  await server.release();
  server.peer.say('SUB fresh 7\r\n');
  const config = { name: 'FRESH', durable_name: 'FRESH', deliver_subject: 'fresh', ack_policy: 'none' };
  assert.equal(server.ask('$JS.API.CONSUMER.CREATE.S.FRESH', JSON.stringify({ stream_name: 'S', config })), '');
  const heard = await server.release();
  const answered = heard.indexOf('consumer_create_response');
  const delivered = heard.search(/MSG s\.1 7 \S+ 5\r\nhello/);
  assert.ok(answered >= 0 && delivered > answered, heard);
});

test('a new ephemeral consumer waits for no disk, and delivers after whoever made it was told of it', async (context) => {
  const server = await prepared(context);
  server.ask('s.1', 'hello', 'pub');
  await server.release();
  server.peer.say('SUB fresh 7\r\n');
  const config = { name: 'FRESH', deliver_subject: 'fresh', ack_policy: 'none' };
  const heard = server.ask('$JS.API.CONSUMER.CREATE.S.FRESH', JSON.stringify({ stream_name: 'S', config }));
  const answered = heard.indexOf('consumer_create_response');
  const delivered = heard.search(/MSG s\.1 7 \S+ 5\r\nhello/);
  assert.ok(answered >= 0 && delivered > answered, heard);
});

test('a new ephemeral consumer waits for the messages before it to be on disk', async (context) => {
  const server = await prepared(context);
  server.ask('s.1', 'hello', 'pub');
  const config = { name: 'FRESH', ack_policy: 'explicit' };
  assert.equal(server.ask('$JS.API.CONSUMER.CREATE.S.FRESH', JSON.stringify({ stream_name: 'S', config })), '');
  assert.match(await server.release(), /consumer_create_response.*"num_pending":1/);
});

test('the answer to whoever makes a consumer counts what is pending as it leaves', async (context) => {
  const server = await prepared(context);
  server.ask('s.1', 'hello', 'pub');
  await server.release();
  const config = { name: 'LATE', durable_name: 'LATE', ack_policy: 'explicit' };
  server.ask('$JS.API.CONSUMER.CREATE.S.LATE', JSON.stringify({ stream_name: 'S', config }));
  server.ask('$JS.API.STREAM.PURGE.S', '');
  assert.match(await server.release(), /consumer_create_response.*"name":"LATE".*"num_pending":0/);
});

test('look-ups of what is on disk are answered at once while the disk holds a sync back', async (context) => {
  const server = await prepared(context);
  server.ask('$JS.API.STREAM.CREATE.T', JSON.stringify({ name: 'T', subjects: ['t.>'], allow_direct: true }));
  await server.release();
  for (const subject of ['s.1', 's.2', 't.1']) server.ask(subject, `old ${subject}`, 'pub');
  await server.release();
  server.ask('s.3', 'new', 'pub');
  const lookUps: readonly (readonly [string, string])[] = [
    ['STREAM.MSG.GET.S', '{"seq":1}'],
    ['STREAM.MSG.GET.S', '{"last_by_subj":"s.1"}'],
    ['STREAM.MSG.GET.S', '{"seq":1,"next_by_subj":"s.*"}'],
    ['STREAM.MSG.GET.T', '{"last_by_subj":"t.1"}'],
    ['DIRECT.GET.S', '{"seq":1}'],
    ['DIRECT.GET.S.s.2', ''],
    ['DIRECT.GET.S', '{"next_by_subj":"s.2"}'],
    ['DIRECT.GET.T.t.1', ''],
  ];
  const inBase64 = Buffer.from('old').toString('base64');
  for (const [subject, request] of lookUps) {
    const heard = server.ask(`$JS.API.${subject}`, request);
    assert.ok(heard.includes('old ') || heard.includes(inBase64), `${subject} ${request}: ${heard}`);
  }
  assert.match(await server.release(), /MSG pub 2 \d+\r\n\{"stream":"S", ?"seq":3/);
});

test('when a sync fails, who waits is told: of the state on disk, or that the change failed', async (context) => {
  const server = await prepared(context);
  server.ask('s.1', 'hello', 'pub');
  await server.release();
  server.ask('s.1', 'lost', 'pub');
  assert.equal(server.ask('$JS.API.STREAM.INFO.S', '', 'r'), '');
  assert.equal(server.ask('$JS.API.STREAM.PURGE.S', '', 'r'), '');
  const heard = server.failSync('EIO');
  assert.match(heard, /MSG r 1 \d+\r\n\{"type":"io\.nats\.jetstream\.api\.v1\.stream_info_response"/);
  assert.match(heard, /stream_purge_response","error":\{"code":500,"err_code":10051,"description":"EIO: sync"\}/);
});

test('a reply subject of any length that a control line may have holds up nobody behind it', async (context) => {
  const server = await held(context, undefined, undefined, { maxControlLine: 1 << 20 });
  server.peer.say('SUB r 1\r\nSUB long.> 2\r\n');
  server.ask('$JS.API.STREAM.CREATE.S', JSON.stringify({ name: 'S', subjects: ['s'] }));
  await server.release();
  server.ask('s', 'one', `long.${'x'.repeat(70_000)}`);
  server.ask('s', 'two');
  const heard = await server.release();
  assert.match(heard, /x 2 22\r\n\{"stream":"S","seq":1\}/);
  assert.match(heard, /MSG r 1 22\r\n\{"stream":"S","seq":2\}/);
});
