// A resolver's directory over files in memory: what is kept, for how long, in which place of how many, and the hash of all of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenDirectory } from '../../../../ts/engine/trust/token-directory.ts';
import type { DirectoryRules } from '../../../../ts/engine/trust/token-directory.ts';
import { nodeCrypto } from '../../../../ts/node/crypto.ts';
import type { TokenFiles } from '../../../../ts/ports/token-files.ts';
import { TestAccount, TestOperator } from '../../../support/tokens.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

class MemoryFiles implements TokenFiles {
  readonly directory = '/jwt';
  readonly content = new Map<string, string>();
  readonly aside = new Map<string, string>();

  keys(): string[] {
    return [...this.content.keys()].toSorted();
  }

  read(key: string): string | undefined {
    return this.content.get(key);
  }

  write(key: string, jwt: string): void {
    this.content.set(key, jwt);
  }

  remove(key: string): void {
    this.content.delete(key);
  }

  setAside(key: string): void {
    this.aside.set(key, this.content.get(key) ?? '');
    this.content.delete(key);
  }
}

const operator = new TestOperator();
const account = (): TestAccount => new TestAccount(operator, 'A');

function opened(rules: Partial<DirectoryRules> = {}, files = new MemoryFiles()) {
  const clock = new VirtualClock();
  const whole = { limit: 0, evicts: false, ttlMs: 0, deletes: 'no', ...rules } as const;
  const directory = new TokenDirectory(whole, { files, clock, sha256: nodeCrypto.sha256 });
  return { directory, files, clock };
}

test('what is saved is there again after a restart, with the same hash', () => {
  const { directory, files } = opened();
  const a = account();
  directory.save(a.key, a.jwt());
  const again = opened({}, files).directory;
  assert.equal(again.read(a.key), directory.read(a.key));
  assert.deepEqual(again.hash, directory.hash);
  assert.notDeepEqual(again.hash, new Uint8Array(32));
});

test('the hash does not depend on the order, and goes back when an account goes', () => {
  const [a, b] = [account(), account()];
  const [tokenA, tokenB] = [a.jwt(), b.jwt()];
  const one = opened({ deletes: 'hard' }).directory;
  const other = opened({ deletes: 'hard' }).directory;
  one.save(a.key, tokenA);
  const onlyA = one.hash;
  one.save(b.key, tokenB);
  other.save(b.key, tokenB);
  other.save(a.key, tokenA);
  assert.deepEqual(one.hash, other.hash);
  one.delete(b.key);
  assert.deepEqual(one.hash, onlyA);
});

test('a change is told once, the same JWT again is none', () => {
  const { directory } = opened();
  const told: string[] = [];
  directory.changed = (key) => told.push(key);
  const a = account();
  const token = a.jwt();
  directory.save(a.key, token);
  directory.save(a.key, token);
  directory.save(a.key, a.jwt({}, { conn: 3 }));
  assert.deepEqual(told, [a.key, a.key]);
});

test('an older JWT of another server does not take the place of a newer one', () => {
  const { directory } = opened();
  const a = account();
  const [older, newer] = [a.jwt({}, { conn: 1 }, { iat: 100 }), a.jwt({}, { conn: 2 }, { iat: 200 })];
  directory.store(a.key, newer);
  directory.store(a.key, older);
  assert.equal(directory.read(a.key), newer);
  assert.throws(() => directory.store(a.key, account().jwt()), /do not match/);
});

test('a full directory takes no more, a cache lets the one go that was used longest ago', () => {
  const [a, b, c] = [account(), account(), account()];
  const full = opened({ limit: 2 }).directory;
  for (const one of [a, b]) full.save(one.key, one.jwt());
  assert.throws(() => full.save(c.key, c.jwt()), /jwt store is full/);
  const cache = opened({ limit: 2, evicts: true }).directory;
  for (const one of [a, b]) cache.save(one.key, one.jwt());
  cache.read(a.key);
  cache.save(c.key, c.jwt());
  assert.deepEqual(
    [a, b, c].map(({ key }) => cache.read(key) !== undefined),
    [true, false, true],
  );
});

test('what nobody asks for is dropped after its time, what is asked for stays', () => {
  const { directory, clock } = opened({ evicts: true, ttlMs: 10_000 });
  const [a, b] = [account(), account()];
  for (const one of [a, b]) directory.save(one.key, one.jwt());
  clock.advance(8_000);
  directory.read(a.key);
  clock.advance(8_000);
  assert.deepEqual(
    [a, b].map(({ key }) => directory.read(key) !== undefined),
    [true, false],
  );
});

test('a JWT that has run out goes', () => {
  const { directory, clock, files } = opened();
  const a = account();
  directory.save(a.key, a.jwt({}, {}, { exp: Math.floor(clock.wallMs() / 1000) + 30 }));
  clock.advance(120_000);
  assert.deepEqual([files.keys(), directory.all()], [[], []]);
});

test('a deleted account is told of, and its file removed or set aside', () => {
  for (const deletes of ['rename', 'hard'] as const) {
    const { directory, files } = opened({ deletes });
    const told: string[] = [];
    directory.deleted = (key) => told.push(key);
    const a = account();
    directory.save(a.key, a.jwt());
    directory.delete(a.key);
    directory.delete(a.key);
    assert.deepEqual([files.keys(), told, files.aside.size], [[], [a.key], deletes === 'rename' ? 1 : 0]);
  }
});

test('a name that is no account key is no file, neither to read nor to write', () => {
  const { directory } = opened();
  for (const name of ['../x', '', 'A', operator.keys.getPublicKey()]) {
    assert.equal(directory.read(name), undefined);
    assert.throws(() => directory.save(name, account().jwt()), /invalid public key/);
  }
});

test('files that somebody changed by hand are told of when the directory is read again', () => {
  const { directory, files } = opened();
  const [a, b, c] = [account(), account(), account()];
  for (const one of [a, b]) directory.save(one.key, one.jwt());
  const told: string[] = [];
  directory.changed = (key) => told.push(key);
  files.write(b.key, b.jwt({}, { conn: 1 }));
  files.write(c.key, c.jwt());
  directory.reread();
  assert.deepEqual(told.toSorted(), [b.key, c.key].toSorted());
  directory.reread();
  assert.equal(told.length, 2);
});

test('other servers are asked for what is not here, and it is kept then', async () => {
  const { directory } = opened();
  const a = account();
  await assert.rejects(directory.fetch(a.key), /account jwt not found/);
  const asked: string[] = [];
  const token = a.jwt();
  directory.ask = (key) => {
    asked.push(key);
    return Promise.resolve(token);
  };
  assert.equal(await directory.fetch(a.key), token);
  assert.equal(await directory.fetch(a.key), token);
  assert.deepEqual(asked, [a.key]);
});
