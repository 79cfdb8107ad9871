/**
 * One read of tiny publishes to a thousand receivers is a gigabyte of output. The kernel stops at its budget, the broker
 * flushes, and the memory in use stays small all along.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryServer } from '../../oracle/memory-server.ts';

const receivers = 1000;
const message = 'PUB f 1\r\nx\r\n';
const delivered = 'MSG f 1 1\r\nx\r\n';

test('tiny publishes to 1,000 receivers stay within the memory budget', () => {
  const server = new MemoryServer();
  const { exports } = server.kernel;
  let most = 0;
  const peers = Array.from({ length: receivers }, () => server.connect());
  for (const peer of peers) {
    peer.send('CONNECT {"verbose":false}\r\nSUB f 1\r\n');
    peer.receivedBytes = 0;
    peer.discards = true;
    const write = peer.write.bind(peer);
    peer.write = (views) => {
      most = Math.max(most, exports.liveBytes());
      return write(views);
    };
  }
  const count = Math.floor((256 * 1024) / message.length);
  const before = exports.liveBytes();
  const sender = server.connect();
  sender.send(message.repeat(count));
  for (const peer of peers) assert.equal(peer.receivedBytes, count * delivered.length);
  assert.ok(most - before < 32 << 20, `${most - before} bytes at the most`);
  for (const peer of peers) peer.hangUp();
});

test('receivers that take nothing do not hold back the others, and cost what max_pending allows', () => {
  const server = new MemoryServer({ config: 'max_pending: 1MB\nno_fast_producer_stall: true' });
  const peers = Array.from({ length: 20 }, () => server.connect());
  for (const [index, peer] of peers.entries()) {
    peer.send('CONNECT {"verbose":false}\r\nSUB f 1\r\n');
    peer.receivedBytes = 0;
    peer.discards = true;
    peer.slow = index < 10;
  }
  const before = server.kernel.exports.liveBytes();
  const sender = server.connect();
  const count = 40;
  for (let i = 0; i < count; i++) sender.send(`PUB f 100000\r\n${'z'.repeat(100_000)}\r\n`);
  for (const [index, peer] of peers.entries()) {
    assert.equal(peer.ended, index < 10, `receiver ${index} is ${index < 10 ? 'dropped as a slow consumer' : 'served'}`);
    if (index >= 10) assert.equal(peer.receivedBytes, count * (100_000 + 'MSG f 1 100000\r\n\r\n'.length));
  }
  assert.ok(
    server.kernel.exports.liveBytes() - before < 12 * 1_200_000,
    `${server.kernel.exports.liveBytes() - before} bytes in use`,
  );
  for (const peer of peers) peer.hangUp();
});
