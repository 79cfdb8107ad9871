// NKeys as text, against the official package.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccount, createServer, createUser, createCurve, fromPublic } from '@nats-io/nkeys';
import fc from 'fast-check';
import { crc16, decodeNkey, encodeNkey } from '../../../ts/lib/nkey.ts';

test('keys of the official package decode, and encode again to the same text', () => {
  const keys = [
    ['user', createUser()],
    ['server', createServer()],
    ['account', createAccount()],
    ['curve', createCurve()],
  ] as const;
  for (const [kind, pair] of keys) {
    const text = pair.getPublicKey();
    const raw = decodeNkey(kind, text);
    assert.ok(raw !== undefined, text);
    assert.equal(encodeNkey(kind, raw), text);
    assert.equal(decodeNkey(kind === 'user' ? 'server' : 'user', text), undefined);
  }
});

test('what is not a key is not decoded', () => {
  const good = createUser().getPublicKey();
  const changed = good.slice(0, 20) + (good[20] === 'A' ? 'B' : 'A') + good.slice(21);
  for (const text of ['', 'U', good.slice(1), `${good}A`, changed, good.toLowerCase(), good.replace(/.$/, '1')]) {
    assert.equal(decodeNkey('user', text), undefined, text);
  }
});

test('any 32 bytes survive, and the official package accepts the text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const text = encodeNkey('user', bytes);
      assert.deepEqual(decodeNkey('user', text), bytes);
      assert.equal(fromPublic(text).getPublicKey(), text);
    }),
  );
  assert.equal(crc16(new TextEncoder().encode('123456789')), 0x31c3);
});
