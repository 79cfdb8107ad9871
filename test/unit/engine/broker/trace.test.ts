// What `-V` is told: an operation before what it brings about, deliveries with their payload.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../../ts/app/silent-log.ts';
import { TestBroker } from '../../../support/broker.ts';
import { held } from '../../../support/held-jetstream.ts';

test('operations are traced in front of what they bring about, once each, also when they come in pieces', () => {
  const lines: string[] = [];
  const traceOn = true;
  const server = new TestBroker({}, { log: { ...silentLog, traceOn } });
  server.broker.events.toTrace({
    inbound: (_label, operation) => lines.push(`< ${Buffer.from(operation).toString()}`),
    outbound: (_label, line, payload) => lines.push(`> ${line} ${Buffer.from(payload ?? []).toString()}`),
  });
  const peer = server.peer();
  lines.length = 0;
  peer.say('SUB a 1\r\nPUB a 2\r\nh');
  peer.say('i\r\nPING\r\nPUB nobody r 0\r\n\r\n');
  assert.deepEqual(lines, ['< SUB a 1\r\n', '< PUB a 2\r\nhi\r\n', '> MSG a 1 2 hi', '< PING\r\n', '< PUB nobody r 0\r\n\r\n']);
});

test('each message of a batch is traced with its own subject and reply', async (context) => {
  const lines: string[] = [];
  const server = await held(context, { ...silentLog, traceOn: true });
  server.broker.events.toTrace({ inbound: () => {}, outbound: (_label, line) => lines.push(line) });
  server.peer.say('SUB r 1\r\nSUB pull 2\r\n');
  server.ask('$JS.API.STREAM.CREATE.S', JSON.stringify({ name: 'S', subjects: ['s.>'] }));
  await server.release();
  for (const subject of ['s.a', 's.b', 's.c']) server.ask(subject, 'x');
  await server.release();
  const config = { durable_name: 'P', ack_policy: 'explicit' };
  server.ask('$JS.API.CONSUMER.CREATE.S.P', JSON.stringify({ stream_name: 'S', config }));
  await server.release();
  lines.length = 0;
  server.ask('$JS.API.CONSUMER.MSG.NEXT.S.P', '3', 'pull');
  const told = lines.map((line) => line.replace(/\.\d{15,}\./, '.TIME.'));
  const expected = ['s.a', 's.b', 's.c'].map((subject, i) => `MSG ${subject} 2 $JS.ACK.S.P.1.${i + 1}.${i + 1}.TIME.${2 - i} 1`);
  assert.deepEqual(told, expected);
});
