// What is decided about a link of a peer's chain, as tables: what was kept or fetched and what the options say, against what comes of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateStatus, OcspAnswer, ReadAnswer } from '../../../../ts/core/ocsp/answer.ts';
import { judgeFetched, judgeKept, judgeStatus } from '../../../../ts/core/ocsp/link-check.ts';
import type { Fetched, LinkPolicy, LinkVerdict } from '../../../../ts/core/ocsp/link-check.ts';

const NOW = Date.UTC(2026, 10, 28, 12, 0, 0);
const of = { subject: 'CN=a', fingerprint: 'F=' };
const strict: LinkPolicy = {
  allowedClockSkewMs: 30_000,
  cacheTtlWhenNextUpdateUnsetMs: 3_600_000,
  warnOnly: false,
  unknownIsGood: false,
  allowWhenCaUnreachable: false,
};

function answer(status: CertificateStatus, thisUpdate = -1_000, nextUpdate: number | null = 1_000): OcspAnswer {
  const nextUpdateMs = nextUpdate === null ? undefined : NOW + nextUpdate;
  return { status, thisUpdateMs: NOW + thisUpdate, nextUpdateMs, raw: new Uint8Array([1]) };
}

const read = (of: OcspAnswer): ReadAnswer => ({ kind: 'answer', answer: of });
const texts = (lines: readonly { level: string; text: string }[]): string[] =>
  lines.map(({ level, text }) => `${level}: ${text}`);
const said = (verdict: LinkVerdict): string => (verdict.good ? 'good' : verdict.reason);

const kept: readonly (readonly [name: string, found: ReadAnswer | undefined, outcome: string, lines: readonly string[]])[] = [
  ['nothing kept', undefined, 'ask', []],
  ['a good answer', read(answer('good')), 'use', ['debug: Cached OCSP response is current, status [good]']],
  ['a revocation', read(answer('revoked')), 'use, revoked', ['debug: Cached OCSP response is current, status [revoked]']],
  [
    'a good answer that has run out',
    read(answer('good', -90_000, -31_000)),
    'ask, forget',
    [
      'debug: OCSP response NextUpdate [2026-11-28T11:59:29Z] is before now [2026-11-28T12:00:00Z] with clockskew [30s]',
      'debug: Cached OCSP response is expired, status [good]',
    ],
  ],
  [
    'one that has, but clocks may differ',
    read(answer('good', -90_000, -29_000)),
    'use',
    ['debug: Cached OCSP response is current, status [good]'],
  ],
  [
    'a revocation that has run out',
    read(answer('revoked', -90_000, -31_000)),
    'ask, forget, revoked',
    [
      'debug: OCSP response NextUpdate [2026-11-28T11:59:29Z] is before now [2026-11-28T12:00:00Z] with clockskew [30s]',
      'debug: Cached OCSP response is expired, status [revoked]',
    ],
  ],
  [
    'something unreadable',
    { kind: 'unreadable', why: 'x' },
    'ask, forget',
    ['debug: Invalid cached OCSP response for [CN=a] with fingerprint [F=]'],
  ],
  [
    'an answer of somebody else',
    { kind: 'delegation' },
    'ask, forget',
    ['debug: Invalid cached OCSP response for [CN=a] with fingerprint [F=]'],
  ],
];

for (const [name, found, outcome, lines] of kept) {
  test(`kept: ${name}`, () => {
    const judged = judgeKept(of, found, strict, NOW);
    const words = [judged.answer === undefined ? 'ask' : 'use'];
    if (judged.forget) words.push('forget');
    if (judged.wasRevoked) words.push('revoked');
    assert.deepEqual([words.join(', '), texts(judged.lines)], [outcome, lines]);
  });
}

const currency: readonly (readonly [name: string, found: OcspAnswer, why: string | undefined])[] = [
  ['without an end, within its time', answer('good', -3_629_000, null), undefined],
  [
    'without an end, after it',
    answer('good', -3_631_000, null),
    'OCSP response cache expiry [2026-11-28T11:59:29Z] is before now [2026-11-28T12:00:00Z] with clockskew [30s]',
  ],
  ['of the future, but clocks may differ', answer('good', 30_000, 60_000), undefined],
  [
    'of the future',
    answer('good', 30_001, 60_000),
    'OCSP response ThisUpdate [2026-11-28T12:00:30.001Z] is before now [2026-11-28T12:00:00Z] with clockskew [30s]',
  ],
];

for (const [name, found, why] of currency) {
  test(`an answer ${name}`, () => {
    const judged = judgeFetched(of, read(found), strict, NOW, false);
    if (why === undefined) assert.equal(judged.answer, found);
    else {
      assert.equal(judged.answer, undefined);
      assert.equal(said(judged.verdict), 'OCSP response not in effectivity window');
      assert.deepEqual(texts(judged.lines), [`debug: ${why}`, 'warn: New OCSP CA response obtained for [CN=a] but not current']);
    }
  });
}

const failed = 'warn: Attempt to obtain OCSP response from CA responder for [CN=a] failed: gone';
const allowed = 'warn: OCSP verify fail for [CN=a] but WarnOnly is true so allowing';
const unreachable = 'warn: Failed to obtain OCSP CA response for [CN=a] but AllowWhenCAUnreachable set;';
const gone: Fetched = { kind: 'failed', why: 'gone' };

interface FetchedCase {
  readonly name: string;
  readonly fetched: Fetched;
  readonly policy?: Partial<LinkPolicy>;
  readonly wasRevoked?: boolean;
  readonly verdict: string;
  readonly lines: readonly string[];
}

const fetched: readonly FetchedCase[] = [
  { name: 'nobody answers', fetched: gone, verdict: 'Failed OCSP response fetch', lines: [failed] },
  { name: 'nobody answers, warn only', fetched: gone, policy: { warnOnly: true }, verdict: 'good', lines: [failed, allowed] },
  {
    name: 'nobody answers, which is allowed',
    fetched: gone,
    policy: { allowWhenCaUnreachable: true },
    verdict: 'good',
    lines: [failed, `${unreachable} no cached revocation so allowing`],
  },
  {
    name: 'nobody answers, which is allowed, but it was revoked',
    fetched: gone,
    policy: { allowWhenCaUnreachable: true },
    wasRevoked: true,
    verdict: 'Failed OCSP response fetch',
    lines: [failed, `${unreachable} cached revocation exists so rejecting`],
  },
  {
    name: 'nobody answers, it was revoked, warn only comes first',
    fetched: gone,
    policy: { allowWhenCaUnreachable: true, warnOnly: true },
    wasRevoked: true,
    verdict: 'good',
    lines: [failed, allowed],
  },
  {
    name: 'the answer cannot be read',
    fetched: { kind: 'unreadable', why: 'x' },
    policy: { allowWhenCaUnreachable: true, unknownIsGood: true },
    verdict: 'Failed OCSP response parse',
    lines: ['error: Could not parse OCSP CA response for [CN=a]: x'],
  },
  {
    name: 'the answer cannot be read, warn only',
    fetched: { kind: 'unreadable', why: 'x' },
    policy: { warnOnly: true },
    verdict: 'good',
    lines: ['error: Could not parse OCSP CA response for [CN=a]: x', allowed],
  },
  {
    name: 'somebody signed who may not',
    fetched: { kind: 'delegation' },
    verdict: 'Invalid OCSP response delegation: CN=a',
    lines: ['warn: Invalid OCSP response delegation: CN=a'],
  },
  {
    name: 'somebody signed who may not, warn only',
    fetched: { kind: 'delegation' },
    policy: { warnOnly: true },
    verdict: 'good',
    lines: ['warn: Invalid OCSP response delegation: CN=a', allowed],
  },
];

for (const { name, fetched: given, policy, wasRevoked = false, verdict, lines } of fetched) {
  test(`fetched: ${name}`, () => {
    const judged = judgeFetched(of, given, { ...strict, ...policy }, NOW, wasRevoked);
    assert.equal(judged.answer, undefined);
    assert.deepEqual([said(judged.verdict), texts(judged.lines)], [verdict, lines]);
  });
}

const pass = 'debug: OCSP verify pass for [CN=a]';
const fail = (status: string): string => `warn: OCSP verify fail for [CN=a] with CA status [${status}]`;

const statuses: readonly (readonly [CertificateStatus, Partial<LinkPolicy>, verdict: string, lines: readonly string[]])[] = [
  ['good', {}, 'good', [pass]],
  ['revoked', {}, 'Invalid OCSP response status: revoked', [fail('revoked')]],
  ['revoked', { unknownIsGood: true, allowWhenCaUnreachable: true }, 'Invalid OCSP response status: revoked', [fail('revoked')]],
  ['revoked', { warnOnly: true }, 'good', [fail('revoked'), allowed]],
  ['unknown', {}, 'Invalid OCSP response status: unknown', [fail('unknown')]],
  ['unknown', { unknownIsGood: true }, 'good', [pass]],
  ['unknown', { warnOnly: true }, 'good', [fail('unknown'), allowed]],
];

for (const [status, policy, verdict, lines] of statuses) {
  test(`status ${status} with ${JSON.stringify(policy)} is ${verdict}`, () => {
    const judged = judgeStatus(of, status, { ...strict, ...policy });
    assert.deepEqual([said(judged.verdict), texts(judged.lines)], [verdict, lines]);
  });
}
