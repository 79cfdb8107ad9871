/** The ciphers against the vectors of the XChaCha draft and NIST, and key streams from any offset. */
import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { cipherProblem, hChaCha20, nodeCiphers } from '../../../ts/node/ciphers.ts';
import { nonceBytes, type CipherName, type ContentKey } from '../../../ts/ports/ciphers.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
const sunscreen = Buffer.from(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);

test('HChaCha20 makes the key of the draft', () => {
  const key = hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
  const derived = hChaCha20(key, hex('000000090000004a0000000031415927'));
  assert.equal(Buffer.from(derived).toString('hex'), '82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc');
});

test('XChaCha20 gives the key stream of the draft', () => {
  const key: ContentKey = {
    cipher: 'chacha',
    key: hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
    nonce: hex('404142434445464748494a4b4c4d4e4f5051525354555658'),
  };
  // The draft's example begins with block 1 of the stream.
  const text = Buffer.from('The dhole (pronounced "dole") is also known as the Asiatic wild dog, red dog, and whistling dog.');
  const enciphered = Buffer.from(nodeCiphers.keyStream(key)(text, 64)).toString('hex');
  assert.ok(enciphered.startsWith('7d0a2e6b7f7c65a236542630294e063b7ab9b555a5d5149aa21e4ae1e4fbce87'), enciphered);
});

test('XChaCha20-Poly1305 seals and opens as RFC 8439 does under the derived key; a changed byte does not open', () => {
  const key: ContentKey = { cipher: 'chacha', key: hex('80'.repeat(32)), nonce: hex('40'.repeat(24)) };
  const sealed = nodeCiphers.seal(key, sunscreen);
  const nonce = Buffer.concat([Buffer.alloc(4), key.nonce.subarray(16)]);
  const expected = createCipheriv('chacha20-poly1305', hChaCha20(key.key, key.nonce), nonce, { authTagLength: 16 });
  assert.deepEqual(Buffer.from(sealed), Buffer.concat([expected.update(sunscreen), expected.final(), expected.getAuthTag()]));
  assert.deepEqual(Buffer.from(nodeCiphers.unseal(key, sealed) ?? []), sunscreen);
  for (const at of [0, 60, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(nodeCiphers.unseal(key, changed), undefined);
  }
  assert.equal(nodeCiphers.unseal(key, sealed.subarray(0, 10)), undefined);
});

test('AES-256-GCM takes nonces of 16 bytes', () => {
  const key: ContentKey = { cipher: 'aes', key: hex('11'.repeat(32)), nonce: hex('22'.repeat(16)) };
  assert.deepEqual(Buffer.from(nodeCiphers.unseal(key, nodeCiphers.seal(key, sunscreen)) ?? []), sunscreen);
});

test('a key stream is the same from every offset, also where the counter carries', () => {
  const nonces: Record<CipherName, Buffer[]> = {
    chacha: [hex('05'.repeat(24))],
    aes: [hex('05'.repeat(16)), hex('ff'.repeat(16)), hex(`00${'ff'.repeat(15)}`)],
  };
  for (const cipher of ['chacha', 'aes'] as const) {
    for (const nonce of nonces[cipher]) {
      assert.equal(nonce.length, nonceBytes[cipher]);
      const stream = nodeCiphers.keyStream({ cipher, key: hex('33'.repeat(32)), nonce });
      const whole = Buffer.from(stream(Buffer.alloc(5000), 0));
      fc.assert(
        fc.property(fc.nat(4999), fc.nat(600), (from, length) => {
          const to = Math.min(5000, from + length);
          assert.deepEqual(Buffer.from(stream(new Uint8Array(to - from), from)), whole.subarray(from, to));
        }),
      );
    }
  }
});

test('both ciphers are to be had on this machine', () => {
  assert.equal(cipherProblem('chacha'), undefined);
  assert.equal(cipherProblem('aes'), undefined);
});
