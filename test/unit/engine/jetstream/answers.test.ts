// Requests and the answers nats-server 2.14.5 gave to them, in order, on a fresh server (`recorded/`). JetStream over an in-memory broker and
// store must give the same, byte for byte, once times and generated names are taken out.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { AccountLimits } from '../../../../ts/engine/jetstream/ports.ts';
import { unlimited } from '../../../support/jetstream-limits.ts';
import { apiSession } from './session.ts';

interface Recorded {
  readonly subject: string;
  readonly payload: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer?: string;
  readonly status?: string;
  readonly unanswered?: 'timeout' | 'no responders';
}

function plain(text: string | undefined): string | undefined {
  return text
    ?.replace(/"(created|ts|first_ts|last_ts|time|last_active)":"2[^"]*"/g, '"$1":"<time>"')
    .replace(/"name":"[0-9A-Za-z]{8}"/g, '"name":"<generated>"')
    .replace(/"leader":"[^"]*"/g, '"leader":"<server>"')
    .replace(/"pause_remaining":\d+/g, '"pause_remaining":1')
    .replace(/Time-Stamp: [^\r]*/g, 'Time-Stamp: <time>');
}

/** Of the account in `account-limits`. */
const limits: AccountLimits = {
  maxMemory: 2000,
  maxStorage: 10_000,
  maxStreams: 3,
  maxConsumers: 3,
  maxAckPending: 100,
  memoryMaxStreamBytes: 2000,
  storageMaxStreamBytes: 5500,
  maxBytesRequired: true,
};

const requestTimeMs = 1200;

for (const file of [
  'requests',
  'stream-configs',
  'consumer-configs',
  'consumer-oddities',
  'gets',
  'publishes',
  'stream-requests',
  'unknown-and-large',
  'account-limits',
  'orders-of-errors',
]) {
  test(`the recorded ${file} are answered as nats-server answers them`, async () => {
    const session = await apiSession(file === 'account-limits' ? limits : unlimited);
    const rows = JSON.parse(readFileSync(new URL(`recorded/${file}.json`, import.meta.url), 'utf8')) as Recorded[];
    const wrong: string[] = [];
    for (const row of rows) {
      const answer = await session.request(row.subject, row.payload, requestTimeMs, row.headers);
      const expected = { answer: plain(row.answer), status: plain(row.status), unanswered: row.unanswered };
      const actual = { answer: plain(answer.text), status: plain(answer.headers), unanswered: answer.unanswered };
      try {
        assert.deepEqual(actual, expected);
      } catch {
        wrong.push(
          `${row.subject} ${JSON.stringify(row.headers ?? {})} ${row.payload}\n  expected ${JSON.stringify(expected)}\n  answered ${JSON.stringify(actual)}`,
        );
      }
    }
    await session.stop();
    assert.equal(wrong.length, 0, `${wrong.length} of ${rows.length} differ:\n${wrong.join('\n')}`);
  });
}
