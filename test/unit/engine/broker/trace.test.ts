// What `-V` is told: an operation before what it brings about, deliveries with their payload.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../../ts/app/silent-log.ts';
import { TestBroker } from '../../../support/broker.ts';

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
