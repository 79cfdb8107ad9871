/** Answers to requests that arrive in one read leave in one write, in the order of the requests, whoever else gets something by them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestBroker } from '../../../support/broker.ts';
import type { TestPeer } from '../../../support/broker.ts';

function countWrites(peer: TestPeer): () => number {
  let writes = 0;
  const write = peer.write.bind(peer);
  peer.write = (views) => {
    writes++;
    return write(views);
  };
  return () => writes;
}

function answering(): { readonly broker: TestBroker; readonly account: number } {
  const broker = new TestBroker();
  const account = broker.broker.accounts.get('$G').handle;
  broker.broker.host.subscribe(account, 'ask.*', '', ({ subject, reply }) => {
    broker.broker.turn(() => broker.kernel.publish(account, reply, '', undefined, Buffer.from(subject)));
  });
  return { broker, account };
}

test('requests that arrive together are answered in one write', () => {
  const { broker } = answering();
  const peer = broker.peer();
  peer.say('SUB in.* 1\r\n');
  const writes = countWrites(peer);
  const asked = Array.from({ length: 50 }, (_, i) => `PUB ask.${i} in.${i} 0\r\n\r\n`);
  peer.say(`${asked.join('')}PING\r\n`);
  const answered = Array.from({ length: 50 }, (_, i) => `MSG in.${i} 1 ${`ask.${i}`.length}\r\nask.${i}\r\n`);
  assert.equal(peer.heard(), `${answered.join('')}PONG\r\n`);
  assert.equal(writes(), 1);
});

test('what has become much is written before the next bytes are parsed', () => {
  const { broker, account } = answering();
  const flood = Buffer.alloc(200_000, 'x');
  broker.broker.host.subscribe(account, 'much', '', ({ reply }) => {
    broker.broker.turn(() => broker.kernel.publish(account, reply, '', undefined, flood));
  });
  const peer = broker.peer();
  peer.say('SUB in 1\r\n');
  peer.keepText = false;
  const writes = countWrites(peer);
  peer.say('PUB much in 0\r\n\r\n'.repeat(200));
  assert.equal(peer.receivedBytes >= 200 * flood.length, true);
  assert.ok(writes() > 2 && writes() < 10, `${writes()} writes`);
});
