// Which requests to measured services are measured: what each tracing system writes into headers to ask for it, or to forbid it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sample } from '../../../../ts/core/account/sampling.ts';
import { canonicalName } from '../../../../ts/core/protocol/canonical-headers.ts';

const block = (...lines: readonly string[]): Uint8Array =>
  Buffer.from(lines.length === 0 ? '' : `NATS/1.0\r\n${lines.join('\r\n')}\r\n\r\n`);
const never = (): number => assert.fail('chance was asked');
const byHeaders = (...lines: readonly string[]): Record<string, readonly string[]> | undefined => {
  const chosen = sample(0, block(...lines), never);
  return chosen && Object.fromEntries(chosen);
};

test('everything is measured at 100 per cent, and by chance below', () => {
  assert.equal(sample(100, block(), never)?.size, 0);
  assert.equal(sample(30, block(), () => 30)?.size, 0);
  assert.equal(
    sample(30, block(), () => 31),
    undefined,
  );
  assert.equal(sample(30, block('b3: a-b-1'), () => 31)?.size, 1);
});

test('headers of tracing systems decide in any spelling, in their order', () => {
  assert.equal(byHeaders(), undefined);
  assert.equal(byHeaders('some: thing'), undefined);
  assert.deepEqual(byHeaders('TRACEPARENT: 00-a-b-01'), { Traceparent: ['00-a-b-01'] });
  assert.equal(byHeaders('traceparent: 00-a-b-02'), undefined);
  assert.equal(byHeaders('traceparent: 00-a-b-81'), undefined);
  assert.equal(byHeaders('traceparent: 00-a-b'), undefined);
  assert.deepEqual(byHeaders('Uber-Trace-Id: a:b:c:1', 'traceparent: 00-a-b-00'), { 'Uber-Trace-Id': ['a:b:c:1'] });
  assert.equal(byHeaders('Uber-Trace-Id: a:b:c:100'), undefined);
  assert.equal(byHeaders('Uber-Trace-Id: a:b:c', 'traceparent: 00-a-b-01'), undefined);
  assert.deepEqual(byHeaders('x-b3-sampled: 1', 'x-b3-traceid: t', 'x: y'), { 'X-B3-Sampled': ['1'], 'X-B3-Traceid': ['t'] });
  assert.deepEqual(byHeaders('x-b3-sampled: d', 'b3: a-b-d', 'b3: second'), { B3: ['a-b-d', 'second'] });
  assert.equal(byHeaders('b3: a-b-0'), undefined);
  assert.equal(byHeaders('b3: 0'), undefined);
});

test('names are written as Go writes them, and those that are no tokens stay', () => {
  assert.equal(canonicalName('x-b3-TRACEID'), 'X-B3-Traceid');
  assert.equal(canonicalName('no token'), 'no token');
  assert.equal(sample(0, block('no header here'), never), undefined);
});
