// Chains from a peer's certificate to a trusted one: all of them and no others, whatever the peer sent along.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { certificatesOf, systemCertificates, verifiedChains } from '../../../ts/node/verified-chains.ts';
import { Issued } from '../../support/certificate-authority.ts';

const root = Issued.make('root', { authority: true });
const intermediate = root.issue('intermediate', { authority: true });
const client = intermediate.issue('client');
/** Has the name of the intermediate, and nothing else of it. */
const impostor = Issued.make('intermediate', { authority: true });
const otherRoot = Issued.make('other root', { authority: true });
/** The intermediate's own key under another root. */
const crossSigned = intermediate.signedAnewBy(otherRoot);
const noAuthority = root.issue('no authority');
const belowNoAuthority = noAuthority.issue('client');
const selfSigned = Issued.make('alone');

const x509 = (of: Issued): X509Certificate => new X509Certificate(of.der);
const named = new Map<string, string>(
  Object.entries({ root, intermediate, client, impostor, otherRoot, crossSigned, noAuthority, belowNoAuthority, selfSigned }).map(
    ([name, of]) => [of.fingerprint, name],
  ),
);

function chains(leaf: Issued, sent: readonly Issued[], trusted: readonly Issued[], nowMs = Date.now()): string[] {
  return verifiedChains(x509(leaf), sent.map(x509), trusted.map(x509), nowMs).map((chain) =>
    chain.map(({ raw }) => named.get(new Issued(raw).fingerprint)).join(' '),
  );
}

const cases: readonly (readonly [
  name: string,
  leaf: Issued,
  sent: readonly Issued[],
  trusted: readonly Issued[],
  found: readonly string[],
])[] = [
  ['one authority between', client, [intermediate], [root], ['client intermediate root']],
  ['the root sent along', client, [intermediate, root], [root], ['client intermediate root']],
  ['an authority missing', client, [], [root], []],
  ['an authority that is trusted ends a chain', client, [intermediate], [intermediate, root], ['client intermediate']],
  ['trusted itself', client, [], [client, root], ['client']],
  ['self-signed and trusted', selfSigned, [], [selfSigned], ['selfSigned']],
  ['self-signed and not trusted', selfSigned, [], [root], []],
  ['an impostor of the authority', client, [impostor], [root], []],
  ['an impostor beside it', client, [impostor, intermediate], [root], ['client intermediate root']],
  [
    'two ways up',
    client,
    [intermediate, crossSigned],
    [root, otherRoot],
    ['client intermediate root', 'client crossSigned otherRoot'],
  ],
  ['signed by one that is no authority', belowNoAuthority, [noAuthority], [root], []],
];

for (const [name, leaf, sent, trusted, found] of cases) {
  test(`chains: ${name}`, () => assert.deepEqual(chains(leaf, sent, trusted), found));
}

test('an authority that has run out ends nothing', () => {
  assert.deepEqual(chains(client, [intermediate], [root], Date.now() + 2 * 86_400_000), []);
});

test('however many certificates a peer sends, the search ends', () => {
  const crowd = Array.from({ length: 200 }, () => Issued.make('intermediate', { authority: true }));
  assert.deepEqual(chains(client, [...crowd, intermediate], [root]), []);
});

test('a file may hold several certificates, and the system has some', () => {
  assert.deepEqual(
    certificatesOf(Buffer.from(`text\n${root.pem}between\n${client.pem}`)).map(({ raw }) => raw.toString('hex')),
    [root, client].map(({ der }) => der.toString('hex')),
  );
  assert.ok(systemCertificates().length > 50);
});
