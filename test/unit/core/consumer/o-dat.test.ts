// o.dat: bytes that nats-server 2.14.5 wrote are understood, and what we write is read back the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeConsumerState, type ConsumerState } from '../../../../ts/core/consumer/o-dat.ts';
import { consumerStateBytes } from '../../../support/consumer-state.ts';

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const sec = 1795401619;

/** Written by nats-server: explicit acks with gaps, redeliveries, a start in the middle, nothing delivered yet, ack none. */
const written: readonly (readonly [name: string, hex: string, state: ConsumerState])[] = [
  [
    'acked with gaps and redelivered',
    '160203031e1906a89e9db00d0b0b020101020a0a0212120202020207070203070101020202',
    {
      ackFloor: { consumer: 3, stream: 3 },
      delivered: { consumer: 30, stream: 25 },
      pending: [14, 4, 13, 21, 5, 10].map((seq) => ({ stream: seq, consumer: seq, seconds: sec })),
      redelivered: [
        { stream: 10, count: 1 },
        { stream: 4, count: 2 },
        { stream: 5, count: 2 },
      ],
    },
  ],
  [
    'beginning in the middle of the stream',
    '16020128052c038a9e9db00d01010202020204040200',
    {
      ackFloor: { consumer: 1, stream: 40 },
      delivered: { consumer: 5, stream: 44 },
      pending: [
        { stream: 41, consumer: 2, seconds: 1795401604 },
        { stream: 42, consumer: 3, seconds: 1795401604 },
        { stream: 44, consumer: 5, seconds: 1795401604 },
      ],
      redelivered: [],
    },
  ],
  [
    'all acknowledged',
    '1602090909090000',
    { ackFloor: { consumer: 9, stream: 9 }, delivered: { consumer: 9, stream: 9 }, pending: [], redelivered: [] },
  ],
  [
    'nothing delivered yet',
    '1602000e000e0000',
    { ackFloor: { consumer: 0, stream: 14 }, delivered: { consumer: 0, stream: 14 }, pending: [], redelivered: [] },
  ],
  [
    'messages that were given up lie below the floor',
    '16020c080c080002f9ffffffffffffffff0102faffffffffffffffff0102',
    {
      ackFloor: { consumer: 12, stream: 8 },
      delivered: { consumer: 12, stream: 8 },
      pending: [],
      redelivered: [
        { stream: 1, count: 2 },
        { stream: 2, count: 2 },
      ],
    },
  ],
];

for (const [name, hex, state] of written) {
  test(`o.dat of nats-server is understood: ${name}`, () => {
    assert.deepEqual(decodeConsumerState(bytesOf(hex)), state);
    assert.deepEqual(decodeConsumerState(bytesOf(`${hex}000000`)), state, 'trailing bytes are ignored');
  });
}

test('o.dat that is cut short, empty or of another kind is refused', () => {
  const whole = bytesOf(written[0]?.[1] ?? '');
  for (let length = 0; length < whole.length - 1; length++) {
    assert.equal(decodeConsumerState(whole.subarray(0, length)), undefined, `${length} bytes`);
  }
  assert.equal(decodeConsumerState(bytesOf('1603090909090000')), undefined);
});

test('o.dat of version 1 has delivered sequences relative to the floor and no consumer sequences', () => {
  assert.deepEqual(decodeConsumerState(bytesOf('160103030201010402040000')), {
    ackFloor: { consumer: 3, stream: 3 },
    delivered: { consumer: 4, stream: 3 },
    pending: [{ stream: 5, consumer: 0, seconds: 4 }],
    redelivered: [],
  });
});

test('what lies below the floor is written as nats-server does', () => {
  const [, hex, state] = written.at(-1) ?? assert.fail();
  assert.deepEqual(consumerStateBytes(state, sec), bytesOf(hex));
});

test('a sequence of more than 64 bits is refused', () => {
  assert.equal(decodeConsumerState(bytesOf('160200000000000180808080808080808002')), undefined);
  assert.equal(decodeConsumerState(bytesOf('16020000000000018080808080808080808001')), undefined);
});

const sequence = fc.integer({ min: 2e6, max: 2 ** 48 });

test('any state comes back from its o.dat', () => {
  const offset = fc.integer({ min: -1e6, max: 1e6 });
  const states = fc.record({
    floor: fc.record({ consumer: sequence, stream: sequence }),
    ahead: fc.record({ consumer: fc.nat(1e6), stream: fc.nat(1e6) }),
    pending: fc.array(fc.record({ stream: offset, consumer: offset, seconds: fc.integer({ min: 0, max: 2 ** 33 }) })),
    redelivered: fc.uniqueArray(fc.record({ stream: offset, count: fc.integer({ min: 1, max: 1000 }) }), {
      selector: ({ stream }) => stream,
    }),
  });
  fc.assert(
    fc.property(states, fc.integer({ min: 0, max: 2 ** 33 }), ({ floor, ahead, pending, redelivered }, now) => {
      const state: ConsumerState = {
        ackFloor: { ...floor },
        delivered: { consumer: floor.consumer + ahead.consumer, stream: floor.stream + ahead.stream },
        pending: pending.map((p) => ({
          stream: p.stream + floor.stream,
          consumer: p.consumer + floor.consumer,
          seconds: p.seconds,
        })),
        redelivered: redelivered.map((r) => ({ stream: r.stream + floor.stream, count: r.count })),
      };
      assert.deepEqual(decodeConsumerState(consumerStateBytes(state, now)), state);
    }),
  );
});
