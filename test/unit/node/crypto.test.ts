// The crypto port on node: signatures made by the official package, bcrypt hashes of other implementations, keys of a server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUser } from '@nats-io/nkeys';
import { createServerKeys, nodeCrypto } from '../../../ts/node/crypto.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a signature is accepted from its key over its message only', () => {
  const pair = createUser();
  const key = pair.getPublicKey();
  const signature = pair.sign(bytes('nonce'));
  assert.equal(nodeCrypto.verifyNkey(key, bytes('nonce'), signature), true);
  assert.equal(nodeCrypto.verifyNkey(key, bytes('other'), signature), false);
  assert.equal(nodeCrypto.verifyNkey(createUser().getPublicKey(), bytes('nonce'), signature), false);
  assert.equal(nodeCrypto.verifyNkey(key, bytes('nonce'), signature.slice(1)), false);
  assert.equal(nodeCrypto.verifyNkey('U nonsense', bytes('nonce'), signature), false);
});

test('bcrypt hashes of every prefix are compared, and a malformed one is nobody', async () => {
  const hash = '$2a$04$bbbbbbbbbbbbbbbbbbbbbuvqrlRnwEDSZcTWqHQdp7BDRdwwmCWbG';
  const { hashSync } = await import('bcryptjs');
  const own = hashSync('secret', 4);
  for (const prefix of ['$2a$', '$2b$', '$2x$', '$2y$']) {
    assert.equal(await nodeCrypto.compareBcrypt('secret', prefix + own.slice(4)), true, prefix);
    assert.equal(await nodeCrypto.compareBcrypt('Secret', prefix + own.slice(4)), false, prefix);
  }
  assert.equal(await nodeCrypto.compareBcrypt('secret', hash.slice(0, 20)), false);
  assert.equal(await nodeCrypto.compareBcrypt('', own), false);
});

test('a server has a fresh public key and curve key', () => {
  const [one, other] = [createServerKeys(), createServerKeys()];
  assert.match(one.serverId, /^N[A-Z2-7]{55}$/);
  assert.match(one.xkey, /^X[A-Z2-7]{55}$/);
  assert.notEqual(one.serverId, other.serverId);
});

test('a server signs with its key, and seals so that only who is meant can open', async () => {
  const [one, other] = [createServerKeys(), createServerKeys()];
  assert.ok(nodeCrypto.tokens.verify(one.serverId, 'text', one.sign('text')));
  assert.ok(!nodeCrypto.tokens.verify(other.serverId, 'text', one.sign('text')));
  const plain = new TextEncoder().encode('secret');
  const sealed = await one.seal(plain, other.xkey);
  assert.deepEqual(await other.open(sealed, one.xkey), plain);
  assert.equal(await one.open(sealed, other.xkey.slice(0, -1)), undefined);
  assert.equal(await createServerKeys().open(sealed, one.xkey), undefined);
  assert.equal(await other.open(sealed.subarray(3), one.xkey), undefined);
});

test('a costly hash is compared on a thread, and the loop goes on meanwhile', async () => {
  const { hash } = await import('bcryptjs');
  const { BcryptThreads } = await import('../../../ts/node/bcrypt.ts');
  const threads = new BcryptThreads();
  const costly = await hash('secret', 8);
  const answers = Promise.all([threads.compare('secret', costly), threads.compare('Secret', costly)]);
  assert.deepEqual(await answers, [true, false]);
  await threads.stop();
});
