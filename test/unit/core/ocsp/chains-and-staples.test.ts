// Which links of a chain are asked about, how certificates are called, and when a status is stapled, as tables.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateFacts, OcspAnswer } from '../../../../ts/core/ocsp/answer.ts';
import { checkChain } from '../../../../ts/core/ocsp/chain-check.ts';
import { distinguishedName } from '../../../../ts/core/ocsp/distinguished-name.ts';
import { goodText, nextAskMs, stapleRule, whyNotShown } from '../../../../ts/core/ocsp/staple-rules.ts';

function facts(subject: string, ...responders: readonly string[]): CertificateFacts {
  return { der: new Uint8Array(), subject, issuer: '', fingerprint: subject, responders };
}

const chains: readonly (readonly [
  name: string,
  chain: readonly CertificateFacts[],
  good: boolean,
  links: readonly string[],
  last: string,
])[] = [
  ['one certificate that is trusted', [facts('a', 'u')], true, [], 'Chain [3] is self-signed, thus peer is valid'],
  [
    'nobody to ask',
    [facts('a'), facts('b'), facts('c', 'u')],
    true,
    [],
    'Chain [3] has no OCSP eligible links, thus peer is valid',
  ],
  ['the peer only', [facts('a', 'u'), facts('b'), facts('c')], false, ['a of b'], 'Chain [3] has 1 OCSP eligible link(s)'],
  ['an authority only', [facts('a'), facts('b', 'u'), facts('c')], false, ['b of c'], 'Chain [3] has 1 OCSP eligible link(s)'],
  [
    'all but the last',
    [facts('a', 'u'), facts('b', 'u'), facts('c', 'u')],
    false,
    ['a of b', 'b of c'],
    'Chain [3] has 2 OCSP eligible link(s)',
  ],
];

for (const [name, chain, good, links, last] of chains) {
  test(`asked about in a chain: ${name}`, () => {
    const checked = checkChain(chain, 3);
    const asked = checked.links.map(({ leaf, issuer }) => `${leaf.subject} of ${issuer.subject}`);
    const lines = [`Chain [3]: ${chain.length} total link(s)`, last];
    assert.deepEqual([checked.good, asked, checked.lines.map(({ text }) => text)], [good, links, lines]);
  });
}

const names: readonly (readonly [attributes: readonly (readonly [type: string, value: string])[], name: string])[] = [
  [
    [
      ['6', 'US'],
      ['8', 'WA'],
      ['7', 'Tacoma'],
      ['10', 'Testnats'],
      ['3', 'One'],
    ],
    'CN=One,ST=WA,L=Tacoma,O=Testnats,C=US',
  ],
  [
    [
      ['3', 'One'],
      ['11', 'a'],
      ['11', 'b'],
      ['3', 'Two, +"\\<>;'],
    ],
    'CN=Two\\, \\+\\"\\\\\\<\\>\\;,OU=a+OU=b',
  ],
  [
    [
      ['5', '12'],
      ['17', '98'],
      ['9', 'Main'],
      ['42', 'given name'],
    ],
    'SERIALNUMBER=12,POSTALCODE=98,STREET=Main',
  ],
  [[['3', ' #a ']], 'CN=\\ #a\\ '],
  [[['3', '#a']], 'CN=\\#a'],
  [[['3', ' ']], 'CN=\\ '],
  [
    [
      ['3', 'A'],
      ['3', ''],
    ],
    '',
  ],
  [[['10', '']], 'O='],
];

for (const [attributes, name] of names) {
  test(`a name is printed as Go does: ${name}`, () => {
    assert.equal(distinguishedName(attributes.map(([type, value]) => ({ type: `2.5.4.${type}`, value }))), name);
  });
}

test('a status is stapled when the certificate promises it, or always; and never when that is forbidden', () => {
  const words = (['never', 'auto', 'must', 'always'] as const).flatMap((mode) =>
    [true, false].map((promised) => {
      const { staples, endsWhenRevoked, breaksPromise } = stapleRule(mode, promised);
      const flags = [staples && 'staples', endsWhenRevoked && 'ends', breaksPromise && 'breaks'].filter((word) => word !== false);
      return `${mode}${promised ? ' promised' : ''}: ${flags.join(' ')}`;
    }),
  );
  assert.deepEqual(words, [
    'never promised: breaks',
    'never: ',
    'auto promised: staples',
    'auto: ',
    'must promised: staples ends',
    'must: ',
    'always promised: staples ends',
    'always: staples ends',
  ]);
});

test('a responder is asked again half way to the time it named', () => {
  const now = Date.UTC(2026, 10, 28);
  const answer = (nextUpdateMs: number | undefined, thisUpdateMs = now): OcspAnswer => ({
    ...{ status: 'good', raw: new Uint8Array() },
    thisUpdateMs,
    nextUpdateMs,
  });
  assert.equal(nextAskMs(answer(now + 10_000), now), 5_000);
  assert.equal(nextAskMs(answer(now - 1), now), 120_000);
  assert.equal(nextAskMs(answer(undefined), now), 86_400_000);
  assert.equal(nextAskMs(undefined, now), 120_000);
  assert.equal(whyNotShown(answer(now), now), undefined);
  assert.equal(whyNotShown(answer(now - 1), now), 'invalid ocsp NextUpdate, is past time: 2026-11-27T23:59:59.999Z');
  assert.equal(whyNotShown(answer(undefined, now + 1), now), 'invalid ocsp ThisUpdate, is future time: 2026-11-28T00:00:00.001Z');
  assert.equal(goodText(answer(now + 10_000), 5_000), 'good, next update 2026-11-28T00:00:10Z, checking again in 5s');
  assert.equal(goodText(answer(undefined), 86_400_000), 'good, next update 0001-01-01T00:00:00Z, checking again in 24h0m0s');
});
