/**
 * What comes and goes leaves nothing: connections, subscriptions, replies, permission sets and buffers, a hundred thousand
 * times. "Nothing" is exact: the same round, done again, ends with the same number of live bytes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardedConfig } from '../../oracle/conversations.ts';
import { MemoryServer } from '../../oracle/memory-server.ts';

/** The second and third of three equal rounds end with the same live bytes and pages. */
function leavesNothing(server: MemoryServer, round: () => void): void {
  const { exports } = server.kernel;
  round();
  round();
  const live = exports.liveBytes();
  const pages = exports.usedPages();
  round();
  assert.equal(exports.liveBytes() - live, 0, 'live bytes of one more round');
  assert.ok(exports.usedPages() <= pages, `${exports.usedPages()} pages in use after one more round, ${pages} before`);
}

test('100,000 subscriptions on one connection', () => {
  const server = new MemoryServer();
  const peer = server.connect();
  peer.send('CONNECT {"verbose":false}\r\n');
  leavesNothing(server, () => {
    let text = '';
    for (let i = 0; i < 33_334; i++)
      text += `SUB ${['a', '*', '>'][i % 3] === '>' ? `x.${i}.>` : `a.${i % 5 === 0 ? '*' : 'b'}.${i}`} ${i % 7 === 0 ? 'q ' : ''}${i}\r\n`;
    peer.send(text);
    assert.equal(server.kernel.exports.subscriptions(), 33_334);
    peer.send(Array.from({ length: 33_334 }, (_, i) => `UNSUB ${33_333 - i}\r\n`).join(''));
    assert.equal(server.kernel.exports.subscriptions(), 0);
  });
  assert.equal(peer.answers, '');
});

test('12,000 connections with subscriptions, carried bytes and output that nobody takes', () => {
  const server = new MemoryServer();
  leavesNothing(server, () => {
    for (let batch = 0; batch < 40; batch++) {
      const peers = Array.from({ length: 100 }, () => server.connect());
      for (const [index, peer] of peers.entries()) {
        peer.slow = index % 3 === 0;
        peer.send(
          `CONNECT {"verbose":false}\r\nSUB all 1\r\nSUB a.${index} q 2\r\nSUB b.* 3\r\nUNSUB 3 5\r\nPUB a.0 9\r\nnot al`,
        );
      }
      peers[1]?.send('l:)\r\nPUB all 3000\r\n' + 'x'.repeat(3000) + '\r\n');
      for (const peer of peers) peer.hangUp();
      for (const peer of peers) peer.drain();
    }
    assert.equal(server.kernel.exports.openConnections(), 0);
    assert.equal(server.kernel.exports.subscriptions(), 0);
    assert.equal(server.broker.openConnections, 0);
    assert.equal(server.sessions.size, 0);
  });
});

test('100,000 subscriptions that end by their maximum', () => {
  const server = new MemoryServer();
  const peer = server.connect();
  peer.send('CONNECT {"verbose":false}\r\n');
  leavesNothing(server, () => {
    for (let i = 0; i < 100; i++) {
      const many = Array.from({ length: 333 }, (_, k) => `SUB r.${k % 2 === 0 ? k : '*'} ${k}\r\nUNSUB ${k} 1\r\n`).join('');
      peer.send(`${many}${Array.from({ length: 333 }, (_, k) => `PUB r.${k} 1\r\nx\r\n`).join('')}`);
      assert.equal(server.kernel.exports.subscriptions(), 0);
      peer.received = '';
    }
  });
});

test('replies that a service may answer, used and unused', () => {
  const server = new MemoryServer({ config: guardedConfig });
  leavesNothing(server, () => {
    const asker = server.connect();
    const service = server.connect();
    asker.send('CONNECT {"verbose":false,"user":"f","pass":"f"}\r\n');
    service.send('CONNECT {"verbose":false,"user":"s","pass":"s"}\r\nSUB svc 1\r\n');
    for (let i = 0; i < 5000; i++) asker.send(`PUB svc r.${i} 1\r\nx\r\n`);
    for (let i = 0; i < 5000; i += 2) service.send(`PUB r.${i} 1\r\ny\r\n`);
    assert.ok(!service.answers.includes('-ERR'), service.answers.slice(-200));
    service.send('PUB other 1\r\ny\r\n');
    assert.ok(service.answers.endsWith(`-ERR 'Permissions Violation for Publish to "other"'\r\n`));
    asker.hangUp();
    service.hangUp();
  });
});

test('messages of 1 MiB to many receivers, some of whom are slow', () => {
  const server = new MemoryServer();
  const body = 'y'.repeat(1_048_576);
  leavesNothing(server, () => {
    const receivers = Array.from({ length: 10 }, () => server.connect());
    for (const [index, peer] of receivers.entries()) {
      peer.send('CONNECT {"verbose":false}\r\nSUB big 1\r\n');
      peer.slow = index < 5;
    }
    const sender = server.connect();
    sender.send('CONNECT {"verbose":false}\r\n');
    for (let i = 0; i < 3; i++) sender.send(`PUB big ${body.length}\r\n${body}\r\n`);
    for (const peer of receivers) {
      while (peer.answers.length < 3 * (body.length + 20) - 60) {
        const before = peer.answers.length;
        peer.drain();
        assert.ok(peer.answers.length > before, 'a slow receiver gets on');
      }
      peer.hangUp();
      peer.drain();
    }
    sender.hangUp();
  });
});
