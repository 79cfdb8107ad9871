/** Encryption at rest: what is on disk is not readable, keys and ciphers can change, and no moment of a change loses anything. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { concatBytes, decodeS2 } from '../../../../ts/core/archive/s2-stream.ts';
import type { EncryptionOptions } from '../../../../ts/engine/store/cipher/keyring.ts';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { NodeDisk } from '../../../../ts/node/disk.ts';
import { dyingDisk } from '../../../support/dying-disk.ts';
import { consumerStateBytes } from '../../../support/consumer-state.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';
import { VolatileJobs } from '../../../support/volatile-jobs.ts';

const chacha: EncryptionOptions = { key: 'first', prevKey: '', cipher: 'chacha' };
const aes: EncryptionOptions = { key: 'first', prevKey: '', cipher: 'aes' };
const encoder = new TextEncoder();
const state = {
  ackFloor: { consumer: 1, stream: 1 },
  delivered: { consumer: 3, stream: 3 },
  pending: [],
  redelivered: [],
};
/** Small blocks, so that there are many. */
const limits = { ...noLimits, maxBytes: 120_000 };
const messages = 50;
const payloadOf = (seq: number): string => `the secret of ${seq} ${'.'.repeat(1000)}`;

function open(root: string, encryption?: EncryptionOptions): TestStore {
  return openTestStore(root, new NodeDisk(), 0, encryption === undefined ? {} : { encryption });
}

async function fill(server: TestStore): Promise<StreamStore> {
  const stream = server.store.create(server.options('S', { limits }), '{"name":"S"}');
  stream.writeConsumer('C', '{"name":"C"}');
  stream.writeConsumerState('C', consumerStateBytes(state), true);
  for (let n = 0; n < messages; n += 10) {
    server.turn(() => {
      for (let k = 1; k <= 10; k++) stream.append({ subject: 'told.to.nobody', payload: encoder.encode(payloadOf(n + k)) });
    });
    await synced(stream);
  }
  return stream;
}

function checkContent(stream: StreamStore): void {
  assert.equal(stream.state.messages, messages);
  for (let seq = 1; seq <= messages; seq++) {
    assert.equal(Buffer.from(stream.get(seq)?.payload ?? []).toString(), payloadOf(seq));
  }
  const [consumer] = stream.consumers();
  assert.equal(consumer?.meta, '{"name":"C"}');
  assert.deepEqual(consumer.state, state);
}

/** All files below a folder by name. */
function filesOf(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name))]));
}

async function reopen(root: string, encryption?: EncryptionOptions): Promise<void> {
  const server = open(root, encryption);
  assert.deepEqual(server.store.find('$G'), [{ name: 'S', meta: '{"name":"S"}' }]);
  checkContent(await server.store.recover(server.options('S', { limits })));
  await server.stop();
}

for (const encryption of [chacha, aes]) {
  test(`nothing on disk says what was stored (${encryption.cipher})`, async () => {
    const root = temporaryFolder();
    const server = open(root, encryption);
    const stream = await fill(server);
    checkContent(stream);
    server.turn(() => assert.ok(stream.delete(40, true)));
    await synced(stream);
    assert.equal(stream.get(40), undefined);
    const archive = await stream.archive(() => ({ meta: '{"name":"S"}', consumers: [] }));
    const stretches: Uint8Array[] = [];
    for (let next = await archive.packed(); next !== undefined; next = await archive.packed()) stretches.push(next.slice());
    const plain = Buffer.from(decodeS2(concatBytes(stretches)));
    archive.close();
    assert.ok(plain.includes('the secret of 41 ') && !plain.includes('the secret of 40 '), 'a backup is plain');
    await server.stop();
    const files = filesOf(root);
    for (const [name, content] of files) {
      assert.ok(!content.includes('secret') && !content.includes('"name"') && !content.includes('told.to.nobody'), name);
      if (name.endsWith('.blk')) assert.ok(files.has(name.replace('.blk', '.key')), `${name} has a key`);
    }
    const again = open(root, encryption);
    const after = await again.store.recover(again.options('S', { limits }));
    assert.deepEqual(after.deleted(10), [40]);
    assert.equal(Buffer.from(after.get(41)?.payload ?? []).toString(), payloadOf(41));
    await again.stop();
  });
}

test('the key of the next block is made before it is needed, and again where it was not', async () => {
  const root = temporaryFolder();
  const server = open(root, chacha);
  const stream = server.store.create(server.options('S'), '{"name":"S"}');
  const blocks = join(root, '$G/streams/S/msgs');
  const payload = new Uint8Array(100_000);
  const put = async (): Promise<void> => {
    server.turn(() => stream.append({ subject: 'a', payload }));
    await synced(stream);
  };
  for (let n = 0; n < 6; n++) await put();
  assert.ok(readdirSync(blocks).includes('2.key.tmp'));
  const prepared = readFileSync(join(blocks, '2.key.tmp'));
  for (let n = 0; n < 22; n++) await put();
  assert.deepEqual(readFileSync(join(blocks, '2.key')), prepared);
  await server.stop();
  assert.deepEqual(readdirSync(blocks).sort(), ['1.blk', '1.key', '2.blk', '2.key', 'index.db']);
  const again = open(root, chacha);
  const after = await again.store.recover(again.options('S'));
  for (let seq = 1; seq <= 28; seq++) assert.equal(after.get(seq)?.payload.length, payload.length);
  await again.stop();
});

test('without the key, or with another, a stream is left alone', async () => {
  const root = temporaryFolder();
  const server = open(root, chacha);
  await fill(server);
  await server.stop();
  const before = filesOf(root);
  for (const [encryption, problem] of [
    [undefined, /encrypted and no key is configured/],
    [{ ...chacha, key: 'wrong' }, /does not open/],
    [{ ...aes, key: 'wrong', prevKey: 'wrong too' }, /does not open/],
  ] as const) {
    const other = open(root, encryption);
    assert.match(other.store.find('$G')[0]?.problem ?? '', problem);
    await other.stop();
  }
  assert.deepEqual(filesOf(root), before);
  await reopen(root, chacha);
});

/** Damages the middle of the key file of a block, or removes it. */
function spoilKey(root: string, block: number, how: 'flipped' | 'missing'): void {
  const keyFile = join(root, `$G/streams/S/msgs/${block}.key`);
  if (how === 'missing') return rmSync(keyFile);
  const bytes = readFileSync(keyFile);
  bytes[30] = (bytes[30] ?? 0) ^ 1;
  new NodeDisk().writeWhole(keyFile, bytes, false);
}

for (const how of ['flipped', 'missing'] as const) {
  test(`a block whose key is ${how} is set aside with its key file, and the others are kept`, async () => {
    const root = temporaryFolder();
    const server = open(root, chacha);
    await fill(server);
    await server.stop();
    const blocks = join(root, '$G/streams/S/msgs');
    const lostFile = readFileSync(join(blocks, '1.blk'));
    spoilKey(root, 1, how);
    const again = open(root, chacha);
    const stream = await again.store.recover(again.options('S', { limits }));
    const lost = stream.state.lost?.messages ?? [];
    assert.ok(lost.length > 10 && lost.length < messages - 10);
    assert.equal(stream.state.firstSeq, (lost.at(-1) ?? 0) + 1);
    for (let seq = 1; seq <= messages; seq++)
      if (!lost.includes(seq)) assert.equal(Buffer.from(stream.get(seq)?.payload ?? []).toString(), payloadOf(seq));
    assert.ok(again.log.lines.some((line) => line.includes(`/1.blk has`) && line.includes(`lost messages: ${lost[0]}-`)));
    assert.deepEqual(readFileSync(join(blocks, '1.damaged')), lostFile);
    assert.equal(readdirSync(blocks).includes('1.damaged-key'), how === 'flipped');
    assert.ok(!readdirSync(blocks).some((name) => /^1\.(blk|key)$/.test(name)));
    await again.stop();
    const third = open(root, chacha);
    assert.equal((await third.store.recover(third.options('S', { limits }))).state.lost, undefined);
    assert.deepEqual(
      third.log.lines.filter((line) => line.startsWith('WRN')),
      [],
    );
    await third.stop();
  });

  test(`a stream none of whose blocks can be deciphered (keys ${how}) is left alone`, async () => {
    const root = temporaryFolder();
    const server = open(root, chacha);
    await fill(server);
    await server.stop();
    const blocks = readdirSync(join(root, '$G/streams/S/msgs')).filter((name) => name.endsWith('.blk'));
    for (const name of blocks) spoilKey(root, Number.parseInt(name, 10), how);
    const before = filesOf(root);
    const again = open(root, chacha);
    await assert.rejects(again.store.recover(again.options('S', { limits })), /does not open|nothing in its blocks can be read/);
    await again.stop();
    assert.deepEqual(filesOf(root), before);
  });
}

test('a plain block beside a key, as nats-server leaves it when it is killed at the change, is read and encrypted', async () => {
  const root = temporaryFolder();
  const server = open(root);
  await fill(server);
  await server.stop();
  const blocks = join(root, '$G/streams/S/msgs');
  const plain = readFileSync(join(blocks, '2.blk'));
  const adopted = open(root, chacha);
  await adopted.store.recover(adopted.options('S', { limits }));
  await adopted.stop();
  new NodeDisk().writeWhole(join(blocks, '2.blk'), plain, false);
  await reopen(root, chacha);
  assert.ok(!readFileSync(join(blocks, '2.blk')).includes('secret'));
});

const changes: Readonly<Record<string, readonly [EncryptionOptions | undefined, EncryptionOptions]>> = {
  'a key is set': [undefined, chacha],
  'the key changes': [chacha, { key: 'second', prevKey: 'first', cipher: 'chacha' }],
  'the cipher changes': [chacha, aes],
  'key and cipher change': [aes, { key: 'second', prevKey: 'first', cipher: 'chacha' }],
};

for (const [what, [before, after]] of Object.entries(changes)) {
  describe(`${what} while the server is down`, () => {
    test('everything is sealed under what is configured now', async () => {
      const root = temporaryFolder();
      const server = open(root, before);
      await fill(server);
      await server.stop();
      await reopen(root, after);
      for (const [name, content] of filesOf(root)) {
        assert.ok(!content.includes('secret') && !content.includes('"name"'), name);
        assert.ok(!/\.(next|tmp)$/.test(name), name);
      }
      await reopen(root, { ...after, prevKey: '' });
    });

    test('a power failure at any step of it loses nothing', async () => {
      const root = temporaryFolder();
      const server = open(root, before);
      await fill(server);
      await server.stop();
      for (let step = 0, finished = false; !finished; step++) {
        const disk = new VolatileDisk();
        disk.take(root, '/js');
        const dying = dyingDisk(disk, step);
        const jobs = new VolatileJobs(dying.disk);
        const dies = openTestStore('/js', dying.disk, 0, { encryption: after, jobs });
        try {
          dies.store.find('$G');
          await disk.through(dies.store.recover(dies.options('S', { limits })));
          finished = !dying.isDead();
        } catch (error) {
          assert.match(String(error), /the power is off/);
        }
        for (const names of step % 4 === 0 ? (['synced', 'newest'] as const) : (['newest'] as const)) {
          const left = temporaryFolder();
          disk.leaveIn(left, names);
          await reopen(join(left, 'js'), after);
          rmSync(left, { recursive: true });
        }
      }
    });
  });
}
