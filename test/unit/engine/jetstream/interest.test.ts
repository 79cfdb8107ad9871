/** When push consumers notice that somebody listens: in the turn in which the client subscribes, with no clock moved. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { held } from '../../../support/held-jetstream.ts';

test('a push consumer made before its client subscribes delivers in the turn of the subscription', async (context) => {
  const server = await held(context);
  server.peer.say('SUB r 1\r\n');
  server.ask('$JS.API.STREAM.CREATE.S', JSON.stringify({ name: 'S', subjects: ['s.>'] }));
  await server.release();
  server.ask('s.one', 'first');
  await server.release();
  const config = { name: 'P', deliver_subject: 'push', ack_policy: 'none' };
  server.ask('$JS.API.CONSUMER.CREATE.S.P', JSON.stringify({ stream_name: 'S', config }));
  assert.doesNotMatch(await server.release(), /first/);
  server.peer.say('SUB push 2\r\n');
  assert.match(server.peer.heard(), /MSG s\.one 2 [^\r]*\r\nfirst/);
});

test('a push consumer whose client has gone is silent at once, whoever listens by a wildcard', async (context) => {
  const server = await held(context);
  server.peer.say('SUB r 1\r\nSUB pus* 3\r\nSUB push 2\r\n');
  server.ask('$JS.API.STREAM.CREATE.S', JSON.stringify({ name: 'S', subjects: ['s.>'] }));
  await server.release();
  const config = { name: 'P', deliver_subject: 'push', ack_policy: 'none', idle_heartbeat: 100_000_000 };
  server.ask('$JS.API.CONSUMER.CREATE.S.P', JSON.stringify({ stream_name: 'S', config }));
  const listen = async (): Promise<string> => {
    let heard = '';
    for (let round = 0; round < 4; round++) heard += await server.release();
    return heard;
  };
  assert.match(await listen(), /100 Idle Heartbeat/);
  server.peer.say('UNSUB 2\r\n');
  assert.doesNotMatch(await listen(), /100 Idle Heartbeat/);
  server.peer.say('SUB push 4\r\n');
  assert.match(await listen(), /HMSG push 4 [^]*100 Idle Heartbeat/);
});
