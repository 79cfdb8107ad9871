// Requests, answers and certificates as bytes: against openssl where it is, and every way an answer can be wrong.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ChainLink } from '../../../ts/core/ocsp/answer.ts';
import { ocspDocuments } from '../../../ts/node/ocsp-documents.ts';
import { Issued } from '../../support/certificate-authority.ts';
import { findPeer, skipWithout } from '../../support/peers.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const { facts, mustStaple, read, request } = ocspDocuments;
const root = Issued.make('root', { authority: true });
const responders = ['http://127.0.0.1:8888/', 'ldap://nowhere', 'https://ocsp.example/path', 'http://', 'no address'];
const client = root.issue('client', { responders });
const other = root.issue('other');

const linkOf = (leaf: Issued, issuer: Issued): ChainLink => ({ leaf: facts(leaf.der), issuer: facts(issuer.der) });
const link = linkOf(client, root);
const answers = (status: 'good' | 'revoked' | 'unknown' = 'good') => root.answer(request(link), () => status);

/** `status` or why it is none. */
function said(raw: Uint8Array, of = link): string {
  const found = read(raw, of);
  return found.kind === 'answer' ? found.answer.status : found.kind === 'delegation' ? 'delegation' : found.why;
}

test('a certificate says who it is, who signed it and whom to ask', () => {
  const { subject, issuer, fingerprint, responders } = link.leaf;
  assert.deepEqual(
    [subject, issuer, fingerprint, responders],
    [
      'CN=client,O=Slipstream',
      'CN=root,O=Slipstream',
      client.fingerprint,
      ['http://127.0.0.1:8888/', 'https://ocsp.example/path'],
    ],
  );
  assert.deepEqual(link.issuer.responders, []);
  assert.throws(() => facts(Buffer.from('no certificate')));
});

test('a certificate may promise a stapled status', () => {
  assert.equal(mustStaple(root.issue('server', { mustStaple: true }).der), true);
  assert.equal(mustStaple(client.der), false);
});

for (const status of ['good', 'revoked', 'unknown'] as const) {
  test(`an answer is read: ${status}`, () => {
    const [thisUpdateMs, nextUpdateMs] = [Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)];
    const raw = root.answer(request(link), () => status, { thisUpdateMs, nextUpdateMs });
    assert.deepEqual(read(raw, link), { kind: 'answer', answer: { status, thisUpdateMs, nextUpdateMs, raw } });
    const open = read(
      root.answer(request(link), () => status, { nextUpdateMs: null }),
      link,
    );
    assert.equal(open.kind === 'answer' && open.answer.nextUpdateMs, undefined);
  });
}

test('an answer of somebody else does not count', () => {
  const stranger = Issued.make('root', { authority: true });
  const forged = stranger.answer(request(link), () => 'good');
  assert.equal(said(forged), 'bad OCSP signature: verification failure');
  const asked = request(link);
  const good = (): 'good' => 'good';
  assert.equal(said(root.answer(asked, good, { signer: root.issue('answers', { signsAnswers: true }) })), 'good');
  assert.equal(said(root.answer(asked, good, { signer: root })), 'good');
  assert.equal(said(root.answer(asked, good, { signer: other })), 'delegation');
  const below = stranger.issue('answers', { signsAnswers: true });
  assert.equal(said(root.answer(asked, good, { signer: below })), 'bad OCSP signature: the signer is not of the issuer');
});

test('an answer about another certificate does not count', () => {
  const raw = root.answer(request(linkOf(other, root)), () => 'good');
  assert.equal(said(raw), 'no response matching the supplied certificate');
});

test('of several answers the one about the certificate counts', () => {
  const raw = root.answer([request(linkOf(other, root)), request(link)], (serial) =>
    serial === client.serial ? 'revoked' : 'good',
  );
  assert.equal(said(raw), 'revoked');
});

test('a responder that refuses says why', () => {
  const refusals = { 1: 'malformed', 2: 'internal error', 3: 'try later', 5: 'signature required', 6: 'unauthorized' };
  for (const [code, why] of Object.entries(refusals)) {
    assert.equal(said(Uint8Array.from([0x30, 3, 0x0a, 1, Number(code)])), `ocsp: error from server: ${why}`);
  }
  assert.equal(said(Uint8Array.from([0x30, 3, 0x0a, 1, 9])), 'ocsp: error from server: unknown OCSP status: 9');
});

test('no bytes whatsoever make reading throw, and none say anything else than what was signed', () => {
  const raw = answers('revoked');
  const whole = read(raw, link);
  assert.ok(whole.kind === 'answer');
  for (let at = 0; at < raw.length; at++) {
    const cut = read(raw.subarray(0, at), link);
    assert.equal(cut.kind, 'unreadable', `cut at ${at}`);
    for (const bit of [0x01, 0x80]) {
      const bent = Buffer.from(raw);
      bent[at] = (bent[at] ?? 0) ^ bit;
      const found = read(bent, link);
      if (found.kind === 'answer') assert.deepEqual(found.answer, { ...whole.answer, raw: bent }, `byte ${at}`);
    }
  }
});

test('openssl reads our requests, and we its answers', { skip: skipWithout('openssl') }, () => {
  const folder = temporaryFolder();
  const openssl = (...args: readonly string[]): void => {
    const ran = spawnSync(findPeer('openssl') ?? '', args, { cwd: folder, encoding: 'utf8' });
    assert.equal(ran.status, 0, ran.stderr);
  };
  const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...key, '-subj', '/C=US/O=A, B/CN=ca', '-keyout', 'ca-key.pem', '-out', 'ca.pem');
  const ca = new Issued(derOf(join(folder, 'ca.pem')));
  for (const [serial, state] of [
    ['1000', 'V'],
    ['1001', 'R'],
    ['1002', ''],
  ] as const) {
    openssl('req', ...key, '-subj', `/CN=c${serial}`, '-keyout', 'c-key.pem', '-out', 'c.csr');
    openssl(
      'x509',
      '-req',
      '-in',
      'c.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca-key.pem',
      '-set_serial',
      `0x${serial}`,
      '-out',
      'c.pem',
    );
    const index = `${state}\t400101000000Z\t${state === 'R' ? '250101000000Z' : ''}\t${serial}\tunknown\t/CN=c${serial}\n`;
    writeFileSync(join(folder, 'index.txt'), state === '' ? '' : index);
    const of = linkOf(new Issued(derOf(join(folder, 'c.pem'))), ca);
    assert.equal(of.leaf.issuer, 'CN=ca,O=A\\, B,C=US');
    writeFileSync(join(folder, 'request.der'), request(of));
    const signer = ['-rsigner', 'ca.pem', '-rkey', 'ca-key.pem', '-CA', 'ca.pem', '-index', 'index.txt', '-nmin', '5'];
    for (const digest of ['-sha1', '-sha256', '-sha384', '-sha512']) {
      openssl('ocsp', ...signer, '-rmd', digest.slice(1), '-reqin', 'request.der', '-respout', 'answer.der');
      const status = { V: 'good', R: 'revoked', '': 'unknown' }[state];
      assert.equal(said(readFileSync(join(folder, 'answer.der')), of), status);
    }
  }
});

function derOf(pem: string): Buffer {
  return Buffer.from(readFileSync(pem, 'utf8').replace(/-----[^-]+-----/g, ''), 'base64');
}
