// Publishes with headers: accepted, known already, or refused, in nats-server's order of checks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyDocument } from '../../../../ts/core/jetstream/schema.ts';
import { streamConfigSchema, type StreamConfig } from '../../../../ts/core/jetstream/stream-config.ts';
import { PlainIds } from '../../../oracle/duplicates.ts';
import { judgePublish } from '../../../../ts/core/stream/judge.ts';
import type { JudgeView } from '../../../../ts/core/stream/judge-checks.ts';
import { parseTtl } from '../../../../ts/core/stream/message-ttl.ts';

const defaults = { name: 'S', subjects: ['s.>'], max_msgs: -1, max_bytes: -1, max_msgs_per_subject: -1, max_msg_size: -1 };

function configOf(given: Partial<StreamConfig>): StreamConfig {
  return { ...emptyDocument(streamConfigSchema), ...defaults, ...given } as unknown as StreamConfig;
}

const none = new Uint8Array(0);

const view: JudgeView = {
  messages: 3,
  bytes: 300,
  lastSeq: 9,
  lastSeqOf: (filter) => (filter === 's.a' ? 5 : filter === 's.*' ? 8 : 0),
  messagesOn: (subject) => (subject === 's.a' ? 2 : 0),
  lastMessageId: () => 'last',
  duplicateOf: (id) => (id === 'known' ? 4 : undefined),
  now: { seconds: 1_800_000_000, nanos: 0 },
  lastOn: () => undefined,
  roomFault: () => undefined,
};

function judge(config: Partial<StreamConfig>, headers: Record<string, string>, size = 10): unknown {
  const payload = new Uint8Array(size);
  const publish = { subject: 's.a', headers: new Map(Object.entries(headers)), block: none, payload, sourced: false };
  const verdict = judgePublish(configOf(config), publish, view);
  if (verdict.is === 'refuse') return `${verdict.error.err_code} ${verdict.error.description}`;
  if (verdict.is === 'duplicate') return verdict.seq;
  const { messageId, rollup, ttlSeconds } = verdict;
  return { messageId, rollup, ttlSeconds };
}

const accepted = { messageId: '', rollup: 'none', ttlSeconds: 0 };

const rows: readonly (readonly [
  says: string,
  config: Partial<StreamConfig>,
  headers: Record<string, string>,
  outcome: unknown,
])[] = [
  ['a fresh message id', {}, { 'Nats-Msg-Id': 'new' }, { ...accepted, messageId: 'new' }],
  ['a known message id', {}, { 'Nats-Msg-Id': 'known' }, 4],
  ['another stream expected', {}, { 'Nats-Expected-Stream': 'T' }, '10060 expected stream does not match'],
  ['this stream expected', {}, { 'Nats-Expected-Stream': 'S' }, accepted],
  ['the last sequence expected', {}, { 'Nats-Expected-Last-Sequence': '9' }, accepted],
  ['another last sequence', {}, { 'Nats-Expected-Last-Sequence': '8' }, '10071 wrong last sequence: 9'],
  ['a last sequence that is no number', {}, { 'Nats-Expected-Last-Sequence': 'x' }, '10071 wrong last sequence: 9'],
  ['the last sequence of the subject', {}, { 'Nats-Expected-Last-Subject-Sequence': '5' }, accepted],
  ['another one of the subject', {}, { 'Nats-Expected-Last-Subject-Sequence': '0' }, '10071 wrong last sequence: 5'],
  [
    'the one of other subjects',
    {},
    { 'Nats-Expected-Last-Subject-Sequence': '8', 'Nats-Expected-Last-Subject-Sequence-Subject': 's.*' },
    accepted,
  ],
  [
    'subjects without a sequence',
    {},
    { 'Nats-Expected-Last-Subject-Sequence-Subject': 's.*' },
    '10193 missing sequence for expected last sequence per subject',
  ],
  ['the last message id', {}, { 'Nats-Expected-Last-Msg-Id': 'last' }, accepted],
  ['another last message id', {}, { 'Nats-Expected-Last-Msg-Id': 'x' }, '10070 wrong last msg ID: last'],
  ['a duplicate before its last message id', {}, { 'Nats-Msg-Id': 'known', 'Nats-Expected-Last-Msg-Id': 'x' }, 4],
  ['a TTL where there is none', {}, { 'Nats-TTL': '5' }, '10166 per-message TTL is disabled'],
  ['a TTL of nothing', { allow_msg_ttl: true }, { 'Nats-TTL': 'x' }, '10165 invalid per-message TTL'],
  ['a TTL', { allow_msg_ttl: true }, { 'Nats-TTL': '1m' }, { ...accepted, ttlSeconds: 60 }],
  ['a rollup not allowed', {}, { 'Nats-Rollup': 'sub' }, '10111 rollup not permitted'],
  ['a rollup of the subject', { allow_rollup_hdrs: true }, { 'Nats-Rollup': 'sub' }, { ...accepted, rollup: 'sub' }],
  ['a rollup of the stream', { allow_rollup_hdrs: true }, { 'Nats-Rollup': 'all' }, { ...accepted, rollup: 'all' }],
  ['a rollup of nothing', { allow_rollup_hdrs: true }, { 'Nats-Rollup': 'x' }, '10111 rollup value invalid: "x"'],
  ['a counter where there is none', {}, { 'Nats-Incr': '1' }, '10168 message counters is disabled'],
  ['a sealed stream', { sealed: true }, { 'Nats-Msg-Id': 'new' }, '10109 invalid operation on sealed stream'],
  ['a message too large', { max_msg_size: 9 }, {}, '10054 message size exceeds maximum allowed'],
  ['old messages that may go', { max_msgs: 3 }, {}, accepted],
  ['no room for a message', { max_msgs: 3, discard: 'new' }, {}, '10077 maximum messages exceeded'],
  ['no room for its bytes', { max_bytes: 342, discard: 'new' }, {}, '10077 maximum bytes exceeded'],
  [
    'no room on the subject',
    { max_msgs_per_subject: 2, discard: 'new', discard_new_per_subject: true },
    {},
    '10077 maximum messages per subject exceeded',
  ],
  ['the subject makes room for itself', { max_msgs_per_subject: 2, max_msgs: 3, discard: 'new' }, {}, accepted],
];

for (const [says, config, headers, outcome] of rows) {
  test(`a publish is judged: ${says}`, () => assert.deepEqual(judge(config, headers), outcome));
}

test('TTLs are seconds, durations of a second or more, or never', () => {
  assert.deepEqual(['10', '1h', '1500ms', 'never', '999ms', '-1', ''].map(parseTtl), [10, 3600, 1, -1, undefined, undefined, 0]);
});

test('ids are known within the window and forgotten behind it', () => {
  let nowMs = 0;
  const window = new PlainIds(() => nowMs);
  window.resize(1000);
  window.add('a', 1, { seconds: 0, nanos: 0 });
  nowMs = 500;
  window.add('b', 2, { seconds: 0, nanos: 500e6 });
  nowMs = 999;
  assert.equal(window.find('a'), 1);
  nowMs = 1000;
  assert.equal(window.find('a'), undefined);
  assert.equal(window.find('b'), 2);
  window.resize(100);
  assert.equal(window.find('b'), undefined);
  assert.equal(window.size, 0);
});
