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
