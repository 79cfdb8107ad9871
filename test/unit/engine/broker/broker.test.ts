// The broker against virtual transports: what is written when, who is dropped, who rests, and that nothing is left behind.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultOptions } from '../../../../ts/core/config/options.ts';
import { silentLog } from '../../../../ts/app/silent-log.ts';
import { TestBroker, TestPeer } from '../../../support/broker.ts';

const crlf = '\r\n';

const large = 'p'.repeat(64 << 10);
/** More than goes to many receivers in one turn. */
const much = `${`PUB x ${large.length}\r\n${large}\r\n`.repeat(40)}PING\r\n`;

/** Receivers that each write takes a millisecond to. */
function slowToWrite(test: TestBroker, count: number): TestPeer[] {
  return Array.from({ length: count }, () => {
    const receiver = test.peer();
    receiver.keepText = false;
    receiver.say('SUB x 1\r\n');
    const write = receiver.write.bind(receiver);
    receiver.write = (views) => {
      test.clock.spend(1);
      return write(views);
    };
    return receiver;
  });
}

describe('broker', () => {
  it('delivers a publish to every subscriber in the turn it came in', () => {
    const { peer } = bound();
    const a = peer();
    const b = peer();
    a.say('SUB foo.* 7\r\n');
    b.say('SUB foo.bar 8\r\nPUB foo.bar r 5\r\nhello\r\n');
    assert.equal(a.heard(), 'MSG foo.bar 7 r 5\r\nhello\r\n');
    assert.equal(b.heard(), 'MSG foo.bar 8 r 5\r\nhello\r\n');
  });

  it('keeps at most one write in flight and writes what came meanwhile when it is through', () => {
    const { peer } = bound();
    const slow = peer();
    const fast = peer();
    slow.say('SUB x 1\r\n');
    slow.takes = false;
    fast.say('PUB x 1\r\na\r\n');
    fast.say('PUB x 1\r\nb\r\nPUB x 1\r\nc\r\n');
    assert.equal(slow.heard(), '');
    slow.drain();
    assert.equal(slow.heard(), 'MSG x 1 1\r\na\r\n');
    slow.drain();
    assert.equal(slow.heard(), 'MSG x 1 1\r\nb\r\nMSG x 1 1\r\nc\r\n');
  });

  it('answers nobody who asks while it stops, and writes what was decided before', () => {
    const test = new TestBroker();
    const peer = test.peer();
    peer.say('SUB i 1\r\n');
    peer.takes = false;
    peer.say('PUB i 1\r\na\r\n');
    peer.say('PUB i 1\r\nb\r\n');
    test.broker.stopListening();
    peer.say('PUB nobody i 0\r\n\r\nPING\r\n');
    peer.takes = true;
    peer.drain();
    assert.equal(peer.heard(), 'MSG i 1 1\r\na\r\nMSG i 1 1\r\nb\r\n');
  });

  it('drops a receiver with more than max_pending waiting, and nobody else', () => {
    const test = new TestBroker({ maxPending: 4096, maxPayload: 1024, noFastProducerStall: true });
    const slow = test.peer();
    const other = test.peer();
    const publisher = test.peer();
    slow.say('SUB x 1\r\n');
    other.say('SUB x 1\r\n');
    slow.takes = false;
    for (let i = 0; i < 5; i++) publisher.say(`PUB x 1000${crlf}${'p'.repeat(1000)}${crlf}`);
    assert.equal(slow.destroyed, true);
    assert.deepEqual(test.closed, ['slowConsumerPending']);
    assert.equal(test.broker.slowConsumers, 1);
    assert.equal(other.destroyed, false);
    assert.equal(other.heard().length, 5 * (1000 + 'MSG x 1 1000\r\n\r\n'.length));
  });

  it('drops a receiver whose write makes no end within write_deadline', () => {
    const test = new TestBroker({ writeDeadlineMs: 10_000 });
    const slow = test.peer();
    const publisher = test.peer();
    slow.say('SUB x 1\r\n');
    slow.takes = false;
    publisher.say('PUB x 0\r\n\r\n');
    test.clock.advance(9_900);
    publisher.say('PING\r\n');
    assert.equal(slow.destroyed, false);
    test.clock.advance(200);
    assert.equal(slow.destroyed, true);
    assert.deepEqual(test.closed, ['slowConsumerDeadline']);
    assert.equal(test.broker.slowConsumers, 1);
  });

  it('keeps a receiver that takes a little within each write_deadline when write_timeout is retry, and tells when it has recovered', () => {
    const notes: string[] = [];
    const log = { ...silentLog, info: (text: string) => void notes.push(text.replace(/^.*cid:\d+ - /, '')) };
    const test = new TestBroker({ writeDeadlineMs: 10_000, writeTimeout: 'retry' }, { log });
    const slow = test.peer();
    const publisher = test.peer();
    slow.say('SUB x 1\r\n');
    slow.takes = false;
    publisher.say('PUB x 7\r\npayload\r\n');
    slow.takenBytes = 5;
    test.clock.advance(10_100);
    slow.takenBytes = 10;
    test.clock.advance(10_100);
    test.clock.advance(3_000);
    slow.takes = true;
    slow.drain();
    assert.equal(slow.destroyed, false);
    assert.equal(slow.heard().replace('PING\r\n', ''), 'MSG x 1 7\r\npayload\r\n');
    assert.equal(test.broker.slowConsumers, 2);
    assert.deepEqual(
      notes.map((note) => note.replace(/took \d+\.\d{3}s/, 'took')),
      [
        'Slow Consumer Detected: WriteDeadline of 10s exceeded with 1 chunks of 20 total bytes.',
        'Slow Consumer State: WriteDeadline of 10s exceeded with 1 chunks of 15 total bytes.',
        'Slow Consumer Recovered: Flush took with 1 chunks of 10 total bytes.',
      ],
    );
  });

  it('drops a receiver that takes nothing within write_deadline also when write_timeout is retry', () => {
    const test = new TestBroker({ writeDeadlineMs: 10_000, writeTimeout: 'retry' });
    const slow = test.peer();
    slow.say('SUB x 1\r\n');
    slow.takes = false;
    slow.takenBytes = 5;
    test.peer().say('PUB x 0\r\n\r\n');
    test.clock.advance(10_100);
    assert.equal(slow.destroyed, false);
    test.clock.advance(10_100);
    assert.equal(slow.destroyed, true);
    assert.deepEqual(test.closed, ['slowConsumerDeadline']);
  });

  it('counts no slow consumer for who has not been let in', () => {
    const authorization = { ...defaultOptions().authorization, token: 's3cr3t', timeoutMs: 60_000 };
    const test = new TestBroker({ writeDeadlineMs: 10_000, authorization });
    const peer = new TestPeer(test);
    peer.takes = false;
    peer.sink = test.broker.accept(peer);
    test.clock.advance(10_100);
    assert.deepEqual(test.closed, ['slowConsumerDeadline']);
    assert.equal(test.broker.slowConsumers, 0);
  });

  it('lets a publisher rest while a receiver is pressed, and go on as soon as it is not', () => {
    const test = new TestBroker({ maxPending: 65536, maxPayload: 16384 });
    const slow = test.peer();
    const publisher = test.peer();
    slow.say('SUB x 1\r\n');
    slow.takes = false;
    for (let i = 0; i < 4; i++) publisher.say(`PUB x 13000${crlf}${'p'.repeat(13000)}${crlf}`);
    assert.equal(publisher.reading, false);
    publisher.say(`PUB x 1${crlf}z${crlf}PING${crlf}`);
    assert.equal(publisher.heard(), '', 'what comes while resting waits');
    slow.drain();
    slow.drain();
    test.clock.advance(2);
    assert.equal(publisher.reading, true);
    assert.equal(publisher.heard(), 'PONG\r\n');
    slow.drain();
    assert.match(slow.heard(), /MSG x 1 1\r\nz\r\n$/);
  });

  it('rests for 10 ms a read at the most', () => {
    const test = new TestBroker({ maxPending: 65536, maxPayload: 16384 });
    const slow = test.peer();
    const publisher = test.peer();
    slow.say('SUB x 1\r\n');
    slow.takes = false;
    for (let i = 0; i < 4; i++) publisher.say(`PUB x 13000${crlf}${'p'.repeat(13000)}${crlf}`);
    test.clock.advance(9);
    assert.equal(publisher.reading, false);
    test.clock.advance(2);
    assert.equal(publisher.reading, true);
  });

  it('lets a publisher rest as long when what it sent took several turns', () => {
    const test = new TestBroker({ maxPending: 3 << 20, maxPayload: 1 << 20 });
    const slow = test.peer();
    slow.keepText = false;
    slow.say('SUB x 1\r\n');
    slow.takes = false;
    slowToWrite(test, 39);
    const [publisher, other] = [test.peer(), test.peer()];
    publisher.say(much);
    let turns = 0;
    for (let heard = publisher.heard(); heard === ''; heard = publisher.heard()) {
      other.say('PING\r\n');
      assert.equal(other.reading, true, 'it is not another one that rests');
      turns++;
      test.clock.advance(0);
    }
    assert.ok(turns > 1);
    test.clock.advance(50);
    assert.equal(publisher.reading, false);
    slow.drain();
    slow.drain();
    test.clock.advance(2);
    assert.equal(publisher.reading, true);
  });

  it('parses nothing more, once it stops, of who waited for a turn', () => {
    const test = new TestBroker({ maxPayload: 1 << 20 });
    slowToWrite(test, 40);
    const publisher = test.peer();
    publisher.say(much);
    assert.equal(publisher.reading, false);
    test.broker.stopListening();
    test.clock.advance(1000);
    assert.equal(publisher.heard(), '');
  });

  it('does not let publishers rest under no_fast_producer_stall', () => {
    const test = new TestBroker({ maxPending: 65536, maxPayload: 16384, noFastProducerStall: true });
    const slow = test.peer();
    const publisher = test.peer();
    slow.say('SUB x 1\r\n');
    slow.takes = false;
    for (let i = 0; i < 4; i++) publisher.say(`PUB x 13000${crlf}${'p'.repeat(13000)}${crlf}`);
    assert.equal(publisher.reading, true);
  });

  it('stays within its budget when a thousand receivers get a megabyte of tiny publishes', () => {
    const test = new TestBroker();
    const receivers = Array.from({ length: 1000 }, () => test.peer());
    for (const receiver of receivers) {
      receiver.keepText = false;
      receiver.say('SUB x 1\r\n');
    }
    const publisher = test.peer();
    const before = test.kernel.memory.size;
    const line = 'PUB x 1\r\na\r\n';
    const count = Math.floor((1 << 20) / line.length);
    publisher.say(line.repeat(count));
    const grown = test.kernel.memory.size - before;
    assert.ok(grown < 64 << 20, `the kernel's memory grew by ${grown} bytes`);
    for (const receiver of receivers) assert.equal(receiver.receivedBytes > count * 'MSG x 1 1\r\na\r\n'.length, true);
  });

  it('serves others in between when much is to be done for what one has sent', () => {
    const test = new TestBroker({ maxPayload: 1 << 20 });
    const receivers = slowToWrite(test, 40);
    const [publisher, other] = [test.peer(), test.peer()];
    const before = receivers[0]?.receivedBytes ?? 0;
    const received = (): number => (receivers[0]?.receivedBytes ?? 0) - before;
    publisher.say(much);
    assert.equal(publisher.reading, false, 'it waits for its turn');
    const first = received();
    other.say('PING\r\n');
    assert.equal(other.heard(), 'PONG\r\n');
    while (!publisher.reading) test.clock.advance(0);
    assert.equal(publisher.heard(), 'PONG\r\n');
    const all = 40 * (`MSG x 1 ${large.length}\r\n\r\n`.length + large.length);
    assert.ok(first < all, `${first} of ${all} bytes in the first turn`);
    assert.equal(received(), all);
  });

  it('writes what is queued before it closes, and parses nothing behind the error', () => {
    const { peer } = bound();
    const bad = peer();
    bad.say('SUB x 1\r\nPUB x 1\r\na\r\nNONSENSE\r\nPUB x 1\r\nb\r\n');
    assert.equal(bad.heard(), "MSG x 1 1\r\na\r\n-ERR 'Unknown Protocol Operation'\r\n");
    assert.equal(bad.ended, true);
  });

  it('holds what follows a CONNECT that takes time, and goes on in order', async () => {
    const { authorization } = defaultOptions();
    // bcrypt of "p", cost 4
    const pass = '$2b$04$R5JkqRXSZwyLEBlD8yCnVOTmYSb0dNfJmLtzoWiRWaeK9CAS3WlBu';
    const test = new TestBroker({ authorization: { ...authorization, user: 'u', pass } });
    const peer = test.peer('');
    peer.say('CONNECT {"verbose":false,"user":"u","pass":"wrong"}\r\nSUB x 1\r\n');
    peer.say('PUB x 1\r\na\r\n');
    assert.equal(peer.reading, false);
    while (!peer.ended) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(peer.heard(), "-ERR 'Authorization Violation'\r\n");
    assert.equal(test.kernel.exports.openConnections(), 0);
  });

  it('gives all memory back when connections with subscriptions come and go', () => {
    const test = new TestBroker();
    const round = () => {
      const peers = Array.from({ length: 50 }, () => test.peer());
      for (const [i, peer] of peers.entries()) {
        peer.say(`SUB a.${i}.* 1\r\nSUB q.> grp 2\r\nSUB plain.${i} 3\r\nPUB a.${i}.b 3\r\nabc\r\nPUB q.w 10\r\n`);
        peer.hangUp();
      }
    };
    // The result cache admits a subject the second time; from then on nothing may be left behind.
    for (let i = 0; i < 3; i++) round();
    const live = test.kernel.exports.liveBytes();
    for (let i = 0; i < 20; i++) round();
    assert.equal(test.kernel.exports.liveBytes(), live);
    assert.equal(test.kernel.exports.subscriptions(), 0);
    assert.equal(test.kernel.exports.openConnections(), 0);
  });
});

function bound() {
  const test = new TestBroker();
  return { test, peer: () => test.peer() };
}
