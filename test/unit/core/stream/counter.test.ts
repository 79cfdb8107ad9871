// Counters: increments, sums and what was sourced from other counters.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHeaders, parseHeaders } from '../../../../ts/core/jetstream/headers.ts';
import { count, parseIncrement, storedCounter, zeroCounter, type CounterState } from '../../../../ts/core/stream/counter.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

function sourced(state: CounterState, stream: string, value: string): CounterState {
  const headers = buildHeaders('', [['Nats-Incr', '1']]);
  const source = `${stream} 1 > > theirs`;
  const counted = count(state, { subject: 'ours', headers, payload: bytes(`{"val":"${value}"}`), by: 1n, source });
  assert.ok(counted !== undefined);
  return counted.state;
}

test('an increment is a decimal number of any size', () => {
  assert.deepEqual(['1', '+1', '-1', '0', '007', '99999999999999999999'].map(parseIncrement), [
    1n,
    1n,
    -1n,
    0n,
    7n,
    99999999999999999999n,
  ]);
  for (const text of ['1.5', '0x1', '1_000', '--1', 'one', ' ']) assert.equal(parseIncrement(text), 'invalid', text);
  assert.equal(parseIncrement(''), undefined);
});

test('a counter that a message does not hold is broken', () => {
  const none = new Map<string, string>();
  for (const text of ['', 'x', '1', '{"val":1}']) assert.equal(storedCounter(bytes(text), none), undefined, text);
  assert.equal(storedCounter(bytes('{"val":"5"}'), none)?.total, 5n);
  assert.equal(storedCounter(bytes('{"val":"5"}'), new Map([['Nats-Counter-Sources', '{"A":{"b":1}}']])), undefined);
});

test('what a source says again is not counted again', () => {
  let state = zeroCounter;
  for (const [stream, value] of [
    ['A', '5'],
    ['B', '7'],
    ['A', '6'],
    ['A', '6'],
    ['B', '3'],
  ] as const)
    state = sourced(state, stream, value);
  assert.equal(state.total, 9n);
  assert.deepEqual(state.sources, { A: { theirs: '6' }, B: { theirs: '3' } });
});

test('sources and subjects may be named as what every object has', () => {
  const known = { total: 0n, sources: { A: { theirs: '4' } } };
  for (const source of ['A 1 > > constructor', '__proto__ 1 > > theirs', 'toString 1 > > __proto__']) {
    const given = { subject: 'ours', headers: buildHeaders('', []), payload: bytes('{"val":"6"}'), by: 1n, source };
    const once = count(known, given);
    assert.equal(once?.state.total, 6n, source);
    assert.equal(once && count(once.state, given)?.state.total, 6n, source);
  }
});

test('the stored message of a sourced counter says what was added and what each source had', () => {
  const before = { total: 10n, sources: { A: { theirs: '4' } } };
  const headers = buildHeaders('', [
    ['Nats-Incr', '1'],
    ['X', 'y'],
  ]);
  const counted = count(before, { subject: 'ours', headers, payload: bytes('{"val":"6"}'), by: 1n, source: 'A 9 > > theirs' });
  assert.equal(Buffer.from(counted?.payload ?? []).toString(), '{"val":"12"}');
  assert.deepEqual(Object.fromEntries(parseHeaders(counted?.headers ?? new Uint8Array(0))), {
    'Nats-Incr': '2',
    X: 'y',
    'Nats-Counter-Sources': '{"A":{"theirs":"6"}}',
  });
});
