/** Direct gets answered inside the kernel: when it does, in which order, and when the host has to. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { held, type Held } from '../../../support/held-jetstream.ts';

interface Prepared extends Held {
  /** How many requests came to the host since the last time. */
  hosted(): number;
}

/** A publish with one header. */
function withHeader(subject: string, header: string, payload: string): string {
  const block = `NATS/1.0\r\n${header}\r\n\r\n`;
  return `HPUB ${subject} ${block.length} ${block.length + payload.length}\r\n${block}${payload}\r\n`;
}

/** A stream S with two messages on s.a and one on s.b, read once, so that a window is over them. */
async function prepared(context: TestContext, config: object = {}): Promise<Prepared> {
  const server = await held(context);
  server.peer.say('SUB r 1\r\n');
  server.ask('$JS.API.STREAM.CREATE.S', JSON.stringify({ name: 'S', subjects: ['s.>'], allow_direct: true, ...config }), 'api');
  await server.release();
  server.peer.say(`PUB s.a 2\r\na1\r\n${withHeader('s.a', 'K: v', 'a2')}PUB s.b 2\r\nb1\r\n`);
  await server.release();
  assert.match(server.ask('$JS.API.DIRECT.GET.S', '{"seq":1}'), /a1/);
  const { mock } = context.mock.method(server.broker.host, 'dispatch');
  let before = 0;
  const hosted = (): number => {
    const since = mock.callCount() - before;
    before = mock.callCount();
    return since;
  };
  return { ...server, hosted };
}

/** An answer with its time blanked, headers line by line. */
function plain(answer: string): string {
  return answer.replaceAll(/Time-Stamp: \S+Z/g, 'Time-Stamp: T');
}

test('a get by subject and a get by sequence are answered without the host, with the headers of the message first', async (context) => {
  const server = await prepared(context);
  const head = 'NATS/1.0\r\nK: v\r\nNats-Stream: S\r\nNats-Subject: s.a\r\nNats-Sequence: 2\r\nNats-Time-Stamp: T\r\n\r\na2\r\n';
  for (const answer of [server.ask('$JS.API.DIRECT.GET.S.s.a', ''), server.ask('$JS.API.DIRECT.GET.S', '{"seq":2}')]) {
    assert.match(plain(answer), /^HMSG r 1 \d+ \d+\r\n/);
    assert.equal(plain(answer).slice(answer.indexOf('\r\n') + 2), head);
  }
  assert.equal(server.hosted(), 0);
});

test('gets, pings and publishes of one chunk are answered in the order they were asked', async (context) => {
  const server = await prepared(context);
  const get = (subject: string): string => `PUB $JS.API.DIRECT.GET.S.s.${subject} r 0\r\n\r\n`;
  server.peer.say(`${get('b')}PING\r\n${get('a')}PUB r 1\r\nx\r\n${get('none')}${get('b')}`);
  const order = server.peer.heard().matchAll(/Nats-Sequence: \d|PONG|\r\nx\r\n|404/g);
  assert.deepEqual(
    [...order].map(([text]) => text),
    ['Nats-Sequence: 3', 'PONG', 'Nats-Sequence: 2', '\r\nx\r\n', '404', 'Nats-Sequence: 3'],
  );
  assert.equal(server.hosted(), 1, 'only what is not there');
});

test('a get waits while a delete is not on disk, and shows what is left then', async (context) => {
  const server = await prepared(context);
  server.ask('$JS.API.STREAM.MSG.DELETE.S', '{"seq":2}', 'api');
  assert.equal(server.ask('$JS.API.DIRECT.GET.S.s.a', ''), '');
  assert.match(await server.release(), /Nats-Sequence: 1/);
  assert.match(server.ask('$JS.API.DIRECT.GET.S.s.a', ''), /Nats-Sequence: 1/);
  assert.match(server.ask('$JS.API.DIRECT.GET.S', '{"seq":2}'), /404 Message Not Found/);
});

test('a message that is not on disk is not shown, the ones before it are', async (context) => {
  const server = await prepared(context);
  server.peer.say('PUB s.a 2\r\na3\r\n');
  assert.match(server.ask('$JS.API.DIRECT.GET.S.s.b', ''), /b1/);
  assert.equal(server.hosted(), 0);
  assert.equal(server.ask('$JS.API.DIRECT.GET.S.s.a', ''), '');
  assert.match(await server.release(), /a3/);
});

test('an erased message is gone from memory too', async (context) => {
  const server = await prepared(context);
  server.ask('$JS.API.STREAM.MSG.DELETE.S', '{"seq":3,"no_erase":false}', 'api');
  await server.release();
  assert.match(server.ask('$JS.API.DIRECT.GET.S', '{"seq":3}'), /404/);
  assert.match(server.ask('$JS.API.DIRECT.GET.S', '{"seq":2}'), /a2/);
});

test('what is not asked in the plain form goes to the host', async (context) => {
  const server = await prepared(context);
  const asked: readonly (readonly [subject: string, payload: string, answer: RegExp])[] = [
    ['', '{"seq":01}', /408 Malformed Request/],
    ['', '{"seq":}', /408 Malformed Request/],
    ['', '{"seq":2', /408 Malformed Request/],
    ['', '{"seq":-1}', /408 Malformed Request/],
    ['', '{"seq":0}', /408 Empty Request/],
    ['', '{"seq":1e0}', /408 Malformed Request/],
    ['', '{"sex":1}', /408 Empty Request/],
    ['', '{"seq":99}', /404/],
    ['', '{"last_by_subj":"s.a"}', /a2/],
    ['.s.*', '', /b1/],
    ['.s.a', '{}', /a2/],
    ['.s.a', '{"seq":1}', /408 Bad Request/],
    ['.s', '', /404/],
  ];
  for (const [subject, payload, answer] of asked) {
    assert.match(server.ask(`$JS.API.DIRECT.GET.S${subject}`, payload), answer, subject + payload);
    assert.equal(server.hosted(), 1, subject + payload);
  }
});

test('a request with headers, or without a reply, goes to the host', async (context) => {
  const server = await prepared(context);
  server.peer.say(withHeader('$JS.API.DIRECT.GET.S.s.a r', 'Nats-Required-Api-Level: 9', ''));
  assert.match(server.peer.heard(), /412 Required Api Level/);
  server.peer.say('PUB $JS.API.DIRECT.GET.S.s.a 0\r\n\r\n');
  assert.equal(server.peer.heard(), '');
  assert.equal(server.hosted(), 2);
});

test('when direct gets are no longer allowed nobody answers them', async (context) => {
  const server = await prepared(context);
  server.ask('$JS.API.STREAM.UPDATE.S', JSON.stringify({ name: 'S', subjects: ['s.>'], allow_direct: false }), 'api');
  await server.release();
  assert.match(server.ask('$JS.API.DIRECT.GET.S.s.a', ''), /503/);
  server.ask('$JS.API.STREAM.UPDATE.S', JSON.stringify({ name: 'S', subjects: ['s.>'], allow_direct: true }), 'api');
  await server.release();
  assert.match(server.ask('$JS.API.DIRECT.GET.S.s.a', ''), /a2/);
});

test('a get whose reply nobody waits for is taken all the same', async (context) => {
  const server = await prepared(context);
  assert.equal(server.ask('$JS.API.DIRECT.GET.S.s.a', '', 'nobody'), '');
  assert.match(server.ask('$JS.API.DIRECT.GET.S.s.a', ''), /a2/);
});
