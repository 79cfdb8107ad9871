/** Trace lines, each row compared with what nats-server logs with -DV for the same bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboundTrace, outboundTrace, replyTrace, type TraceOptions } from '../../../../ts/core/protocol/trace.ts';

const all: TraceOptions = { maxLength: 0, headersOnly: false };
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const operations: readonly (readonly [operation: string, lines: readonly string[]])[] = [
  ['PING\r\n', ['<<- [PING]']],
  ['SUB foo  1\r\n', ['<<- [SUB foo  1]']],
  ['sub foo.* q 2\r\n', ['<<- [SUB foo.* q 2]']],
  ['UNSUB 2 5\r\n', ['<<- [UNSUB 2 5]']],
  ['PUB foo 5\r\nhello\r\n', ['<<- [PUB foo 5]', '<<- MSG_PAYLOAD: ["hello"]']],
  ['PUB foo rep 3\r\na\nb\r\n', ['<<- [PUB foo rep 3]', '<<- MSG_PAYLOAD: ["a\\nb"]']],
  ['PUB nores inbox.1 0\r\n\r\n', ['<<- [PUB nores inbox.1 0]']],
  [
    'HPUB foo 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n',
    ['<<- [HPUB foo 18 20]', '<<- MSG_PAYLOAD: ["NATS/1.0\\r\\nA: b\\r\\n\\r\\nhi"]'],
  ],
  [
    'CONNECT {"user":"u","pass":"p\\"w","jwt":"abc", "sig" : "s","auth_token":"t","nkey":"U"}\r\n',
    [
      '<<- [CONNECT {"user":"u","pass":"[REDACTED]","jwt":"abc", "sig" : "[REDACTED]","auth_token":"[REDACTED]","nkey":"[REDACTED]"}]',
    ],
  ],
  ['SUB a\u001b[2J 1\r\n', ['<<- [SUB a\\x1b[2J 1]']],
];

for (const [operation, lines] of operations) {
  test(`trace of ${JSON.stringify(operation.slice(0, 40))}`, () => {
    assert.deepEqual(inboundTrace(bytes(operation), all), lines);
  });
}

test('a payload over the limit is cut and says so', () => {
  assert.deepEqual(
    inboundTrace(bytes('PUB foo 12\r\nhello world!\r\n'), { ...all, maxLength: 7 })[1],
    '<<- MSG_PAYLOAD: ["hello w..."]',
  );
  assert.deepEqual(
    inboundTrace(bytes('PUB foo 12\r\nhello world!\r\n'), { ...all, maxLength: 12 })[1],
    '<<- MSG_PAYLOAD: ["hello world!"]',
  );
});

test('with headers only, a payload is not shown and headers are without their end', () => {
  const headers: TraceOptions = { maxLength: 30, headersOnly: true };
  assert.deepEqual(inboundTrace(bytes('PUB foo 5\r\nhello\r\n'), headers), ['<<- [PUB foo 5]']);
  const operation = bytes('HPUB foo 20 25\r\nNATS/1.0\r\nA: bcd\r\n\r\nworld\r\n');
  assert.deepEqual(inboundTrace(operation, headers), ['<<- [HPUB foo 20 25]', '<<- MSG_PAYLOAD: ["NATS/1.0\\r\\nA: bcd"]']);
});

test('deliveries and replies', () => {
  assert.deepEqual(outboundTrace('MSG foo 1 5', bytes('hello'), 0, all), ['->> [MSG foo 1 5]', '->> MSG_PAYLOAD: ["hello"]']);
  assert.deepEqual(outboundTrace('MSG foo 1 5', undefined, 0, all), ['->> [MSG foo 1 5]']);
  assert.equal(replyTrace('+OK\r\n'), '->> [OK]');
  assert.equal(replyTrace("-ERR 'Unknown Protocol Operation'\r\n"), '->> [-ERR Unknown Protocol Operation]');
  assert.equal(replyTrace('PONG\r\n'), '->> [PONG]');
  assert.equal(replyTrace('INFO {"nonce":"x"}\r\n'), undefined);
});
