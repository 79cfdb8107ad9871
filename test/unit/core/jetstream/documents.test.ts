// JSON as nats-server reads and writes it: escapes, exact numbers, times, strict fields, and its words for what does not fit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeProblem } from '../../../../ts/core/jetstream/time-problem.ts';
import fc from 'fast-check';
import {
  formatDuration,
  formatInstant,
  parseDuration,
  compareInstants,
  parseInstant,
  zeroInstant,
} from '../../../../ts/core/jetstream/instant.ts';
import { encodeBehind, encodeJson } from '../../../../ts/core/jetstream/json.ts';
import { parseJson, type JsonNode } from '../../../../ts/core/jetstream/parse-json.ts';
import { readDocument, writeDocument } from '../../../../ts/core/jetstream/schema.ts';
import { streamConfigRequestSchema, streamConfigSchema } from '../../../../ts/core/jetstream/stream-config.ts';

test('angle brackets, ampersands and line separators are escaped, durations are exact', () => {
  assert.equal(
    encodeJson({ a: '<b>&\u2028', n: 2n ** 62n + 1n, gone: undefined, list: [1, true, null] }),
    '{"a":"\\u003cb\\u003e\\u0026\\u2028","n":4611686018427387905,"list":[1,true,null]}',
  );
});

function plain(node: JsonNode): unknown {
  switch (node.kind) {
    case 'null':
      return null;
    case 'number':
      return Number(node.text);
    case 'array':
      return node.items.map(plain);
    case 'object':
      return Object.fromEntries(node.members.map(([name, value]) => [name, plain(value)]));
    default:
      return node.value;
  }
}

test('whatever JSON says is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false } as object), (text) => {
      assert.deepEqual(JSON.stringify(plain(parseJson(text))), JSON.stringify(JSON.parse(text)));
    }),
  );
});

test('broken JSON of any kind is an error, never a crash', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, at) => {
      const cut = text.slice(0, at % (text.length + 1));
      let good = true;
      try {
        JSON.parse(cut);
      } catch {
        good = false;
      }
      if (good) parseJson(cut);
      else assert.throws(() => parseJson(cut), { name: 'Error' });
    }),
  );
});

test('a document that is nested too deep is refused before the stack ends', () => {
  const arrays = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  assert.equal(parseJson(arrays(1000)).kind, 'array');
  assert.throws(() => parseJson(`{"a":${arrays(1000)}}`), /^Error: invalid character '\[' exceeded max depth at offset 1005$/);
  assert.throws(() => parseJson('{"a":'.repeat(300_000)), /^Error: invalid character '\{' exceeded max depth/);
});

test('a configuration is read, written and read again without loss', () => {
  const text =
    '{"name":"A","subjects":["a.\\u003e"],"max_age":86400000000001,"sources":[{"name":"B","opt_start_time":"2020-01-01T00:00:00.5Z"}],"metadata":{"b":"2","a":"1"}}';
  const config = readDocument(streamConfigSchema, text, true);
  const written = encodeJson(writeDocument(streamConfigSchema, config));
  assert.match(written, /"max_age":86400000000001,/);
  assert.match(written, /"opt_start_time":"2020-01-01T00:00:00.5Z"/);
  assert.match(written, /"metadata":\{"a":"1","b":"2"\}\}$/);
  assert.deepEqual(readDocument(streamConfigSchema, written, true), config);
});

test('field names are matched without regard to case, unknown ones are refused while strict', () => {
  assert.equal(readDocument(streamConfigSchema, '{"NAME":"A"}', true)['name'], 'A');
  assert.throws(() => readDocument(streamConfigRequestSchema, '{"nome":"A"}', true), { message: 'json: unknown field "nome"' });
  assert.equal(readDocument(streamConfigRequestSchema, '{"nome":"A","name":"B"}', false)['name'], 'B');
});

const times: readonly (readonly [text: string, seconds: number, nanos: number])[] = [
  ['1970-01-01T00:00:00Z', 0, 0],
  ['2026-11-23T05:30:27.363694238Z', 1795411827, 363694238],
  ['2020-02-29T23:59:59.5Z', 1583020799, 500000000],
  ['0001-01-01T00:00:00Z', zeroInstant.seconds, 0],
];

for (const [text, seconds, nanos] of times) {
  test(`${text} is read and written back`, () => {
    assert.deepEqual(parseInstant(text), { seconds, nanos });
    assert.equal(formatInstant({ seconds, nanos }), text);
  });
}

test('every second of ten thousand years is written as Date writes it', () => {
  fc.assert(
    fc.property(fc.integer({ min: zeroInstant.seconds, max: 253402300799 }), (seconds) => {
      const text = formatInstant({ seconds, nanos: 0 });
      assert.equal(text, `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`);
      assert.deepEqual(parseInstant(text), { seconds, nanos: 0 });
    }),
  );
});

test('times with an offset are the same instant in UTC and are written in their zone, impossible ones refused', () => {
  for (const text of ['2020-01-01T02:30:00+02:30', '2019-12-31T20:15:00.5-03:45']) {
    const at = parseInstant(text);
    assert.ok(at);
    assert.equal(
      compareInstants(at, parseInstant(text.includes('.5') ? '2020-01-01T00:00:00.5Z' : '2020-01-01T00:00:00Z') ?? at),
      0,
    );
    assert.equal(formatInstant(at), text);
  }
  for (const same of ['+00:00', '-00:00'])
    assert.deepEqual(parseInstant(`2020-01-01T00:00:00${same}`), parseInstant('2020-01-01T00:00:00Z'));
  for (const text of ['', '2020-01-01', '2020-13-01T00:00:00Z', '2020-02-30T00:00:00Z', '2020-01-01T24:00:00Z']) {
    assert.equal(parseInstant(text), undefined, text);
  }
});

const layout = '"2006-01-02T15:04:05Z07:00"';
const problems: readonly (readonly [text: string, problem: string])[] = [
  ['', `as ${layout}: cannot parse "" as "2006"`],
  ['x', `as ${layout}: cannot parse "x" as "2006"`],
  ['2024-01-02', `as ${layout}: cannot parse "" as "T"`],
  ['2024-01-02t03:04:05z', `as ${layout}: cannot parse "t03:04:05z" as "T"`],
  ['2024-01-02T03:04:05', `as ${layout}: cannot parse "" as "Z07:00"`],
  ['2024-13-02T03:04:05Z', 'month out of range'],
  ['2024-02-30T00:00:00Z', 'day out of range'],
  ['2024-01-02T24:00:00Z', 'hour out of range'],
  ['2024-01-02T03:60:00Z', 'minute out of range'],
  ['2024-01-02T03:04:60Z', 'second out of range'],
  ['2024-01-02T03:04:05Zx', 'extra text: "x"'],
];

for (const [text, problem] of problems) {
  test(`${JSON.stringify(text)} is no time: ${problem}`, () => {
    const separator = problem.startsWith('as ') ? ' ' : ': ';
    assert.equal(timeProblem(text), `parsing time ${JSON.stringify(text)}${separator}${problem}`);
    assert.equal(parseInstant(text), undefined);
  });
}

const durations: readonly (readonly [nanos: bigint, text: string])[] = [
  [0n, '0s'],
  [1n, '1ns'],
  [1_500n, '1.5µs'],
  [100_000_000n, '100ms'],
  [1_500_000_000n, '1.5s'],
  [120_000_000_000n, '2m0s'],
  [3_661_000_000_000n, '1h1m1s'],
];

for (const [nanos, text] of durations) {
  test(`a duration of ${nanos} ns is ${text}`, () => {
    assert.equal(formatDuration(nanos), text);
    assert.equal(parseDuration(text), nanos);
  });
}

test('an instant is written the same whichever was written before it', () => {
  const instant = fc.record({
    seconds: fc.constantFrom(zeroInstant.seconds, 0, 1, 1_795_411_827),
    nanos: fc.constantFrom(0, 5),
    zoneMinutes: fc.constantFrom(0, 60, -90),
  });
  const written = (at: { seconds: number; nanos: number; zoneMinutes: number }): string => {
    const local = new Date((at.seconds + at.zoneMinutes * 60) * 1000).toISOString().slice(0, 19);
    const zone = at.zoneMinutes === 0 ? 'Z' : at.zoneMinutes === 60 ? '+01:00' : '-01:30';
    return `${local}${at.nanos === 0 ? '' : '.000000005'}${zone}`;
  };
  const fits = instant.filter(({ seconds, zoneMinutes }) => seconds + zoneMinutes * 60 >= zeroInstant.seconds);
  fc.assert(fc.property(fc.array(fits, { minLength: 2 }), (all) => assert.deepEqual(all.map(formatInstant), all.map(written))));
});

test('a document stands behind members that are text already, or they stand alone', () => {
  assert.equal(encodeBehind('"type":"t"', { a: 1, b: undefined }), '{"type":"t","a":1}');
  assert.equal(encodeBehind('"type":"t"', { b: undefined }), '{"type":"t"}');
});

test('metadata is written by name, whatever order it came in', () => {
  const written = (metadata: string): string =>
    encodeJson(writeDocument(streamConfigSchema, readDocument(streamConfigSchema, `{"metadata":${metadata}}`, true)));
  assert.match(written('{"a":"1","b":"2"}'), /"metadata":\{"a":"1","b":"2"\}\}$/);
  assert.match(written('{"b":"2","a":"1"}'), /"metadata":\{"a":"1","b":"2"\}\}$/);
  assert.match(written('{"9":"n","10":"t"}'), /"metadata":\{"10":"t","9":"n"\}\}$/);
  assert.match(written('{"a":"1","10":"t","9":"n"}'), /"metadata":\{"10":"t","9":"n","a":"1"\}\}$/);
});
