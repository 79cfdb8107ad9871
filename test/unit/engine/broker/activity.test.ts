// What counts as a client's activity: for the pings it is sent, and for what monitoring says of when it was last active.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestBroker } from '../../../support/broker.ts';
import type { TestPeer } from '../../../support/broker.ts';

const MINUTE = 60_000;
const INTERVAL = 2 * MINUTE;

/** Lets minutes pass; pings are answered at once. Returns how many there were. */
function pingsIn(test: TestBroker, peer: TestPeer, minutes: number, each: () => void = () => undefined): number {
  let pings = 0;
  for (let minute = 0; minute < minutes; minute++) {
    test.clock.advance(MINUTE);
    for (const _ of peer.heard().matchAll(/PING\r\n/g)) {
      pings++;
      peer.say('PONG\r\n');
    }
    each();
  }
  return pings;
}

describe('activity', () => {
  it('a client that does nothing but answer is pinged every interval', () => {
    const test = new TestBroker({ pingIntervalMs: INTERVAL, pingMax: 2 });
    const peer = test.peer();
    assert.equal(pingsIn(test, peer, 2), 1, 'the early one, which measures the round trip');
    assert.equal(pingsIn(test, peer, 20), 10);
  });

  it('a client that publishes is not pinged, nor one that pings', () => {
    for (const said of ['PUB x 0\r\n\r\n', 'PING\r\n']) {
      const test = new TestBroker({ pingIntervalMs: INTERVAL, pingMax: 2 });
      const peer = test.peer();
      pingsIn(test, peer, 2, () => peer.say(said));
      assert.equal(
        pingsIn(test, peer, 20, () => peer.say(said)),
        0,
        said,
      );
    }
  });

  it('monitoring counts messages in both directions, CONNECT and changed subscriptions as activity, pings and answers not', () => {
    const test = new TestBroker({ pingIntervalMs: INTERVAL, pingMax: 2 });
    test.clock.advance(1_000);
    const receiver = test.peer('');
    const sender = test.peer();
    const [of] = test.broker.connections();
    const steps: readonly [string, () => void, boolean][] = [
      ['CONNECT', () => receiver.say('CONNECT {"verbose":false}\r\n'), true],
      ['PING', () => receiver.say('PING\r\n'), false],
      ['SUB', () => receiver.say('SUB x 1\r\n'), true],
      ['PONG', () => receiver.say('PONG\r\n'), false],
      ['a message to it', () => sender.say('PUB x 0\r\n\r\n'), true],
      ['a message past it', () => sender.say('PUB y 0\r\n\r\n'), false],
      ['UNSUB', () => receiver.say('UNSUB 1\r\n'), true],
      ['a message of its own', () => receiver.say('PUB x 0\r\n\r\n'), true],
      ['a message and an answer', () => receiver.say('PUB x 0\r\n\r\nPONG\r\n'), true],
    ];
    for (const [what, happen, counts] of steps) {
      const before = of?.lastActivityMs();
      test.clock.advance(1_000);
      happen();
      assert.equal(of?.lastActivityMs(), counts ? test.clock.monotonicMs() : before, what);
    }
  });
});
