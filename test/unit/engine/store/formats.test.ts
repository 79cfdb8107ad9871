/**
 * Blocks that are rewritten while the stream lives: compressed when they are full, written anew when most of them is dead. Every message reads
 * as before, from memory, from the file and after a restart.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isPacked, packBlock, unpackBlock } from '../../../../ts/core/block/packed-block.ts';
import type { EncryptionOptions } from '../../../../ts/engine/store/cipher/keyring.ts';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { NodeDisk } from '../../../../ts/node/disk.ts';
import { blockKey, scan } from '../../../oracle/record.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';

const encoder = new TextEncoder();
/** Small blocks. */
const small = { ...noLimits, maxBytes: 120_000 };
const upkeep = { lookMs: 1, bytesPerSecond: 1e12 };
const payloadOf = (seq: number): string => `message ${seq} ${'and again '.repeat(80)}`;

function open(root: string, encryption?: EncryptionOptions): TestStore {
  return openTestStore(root, new NodeDisk(), 0, { upkeep, ...(encryption === undefined ? {} : { encryption }) });
}

async function append(server: TestStore, stream: StreamStore, count: number): Promise<void> {
  for (let n = 0; n < count; n += 10) {
    server.turn(() => {
      for (let k = 0; k < 10; k++) {
        const seq = stream.state.lastSeq + 1;
        stream.append({ subject: `s.${seq % 7}`, payload: encoder.encode(payloadOf(seq)) });
      }
    });
    await synced(stream);
  }
}

function checkMessages(stream: StreamStore, isThere: (seq: number) => boolean): void {
  for (let seq = 1; seq <= stream.state.lastSeq; seq++) {
    const found = stream.get(seq);
    assert.equal(
      found === undefined ? undefined : Buffer.from(found.payload).toString(),
      isThere(seq) ? payloadOf(seq) : undefined,
    );
  }
}

const blocksOf = (root: string): string => join(root, '$G/streams/S/msgs');

function blockFile(root: string, block: number): Buffer {
  return readFileSync(join(blocksOf(root), `${block}.blk`));
}

for (const encryption of [undefined, { key: 'k', prevKey: '', cipher: 'chacha' }] as const) {
  describe(encryption === undefined ? 'plain' : 'encrypted', () => {
    test('a block is compressed when the next one begins, and reads as before', async () => {
      const root = temporaryFolder();
      const server = open(root, encryption);
      const stream = server.store.create(server.options('S', { limits: small, compression: 's2' }), '{}');
      await append(server, stream, 100);
      const before = stream.state;
      await until(() => blockFile(root, 1).length < 20_000 && blockFile(root, 2).length < 20_000);
      assert.deepEqual(stream.state, before, 'bytes are counted uncompressed');
      assert.equal(isPacked(blockFile(root, 1)), encryption === undefined);
      checkMessages(stream, () => true);
      await server.stop();
      assert.ok(readdirSync(blocksOf(root)).every((name) => /^(.*\.(blk|key)|index\.db)$/.test(name)));

      const again = open(root, encryption);
      const after = await again.store.recover(again.options('S', { limits: small, compression: 's2' }));
      assert.deepEqual(after.state, before);
      checkMessages(after, () => true);
      await again.stop();
    });

    test('a message in a compressed block is erased', async () => {
      const root = temporaryFolder();
      const server = open(root, encryption);
      const stream = server.store.create(server.options('S', { limits: small, compression: 's2' }), '{}');
      await append(server, stream, 60);
      await until(() => blockFile(root, 1).length < 20_000);
      server.turn(() => assert.ok(stream.delete(5, true)));
      await synced(stream);
      checkMessages(stream, (seq) => seq !== 5);
      if (encryption === undefined) {
        const content = Buffer.from(unpackBlock(blockFile(root, 1)));
        assert.ok(!content.includes('message 5 ') && content.includes('message 6 '));
        assert.equal(scan(blockKey('S', 1), content).goodEnd, content.length);
      }
      await server.stop();
      const again = open(root, encryption);
      checkMessages(await again.store.recover(again.options('S', { limits: small })), (seq) => seq !== 5);
      await again.stop();
    });

    for (const compression of ['none', 's2'] as const) {
      test(`a block that is mostly dead is written anew (${compression})`, async () => {
        const root = temporaryFolder();
        const server = open(root, encryption);
        const stream = server.store.create(server.options('S', { limits: small, compression }), '{}');
        await append(server, stream, 120);
        const full = compression === 's2' ? 20_000 : 32_100;
        await until(() => blockFile(root, 2).length < full);
        const isThere = (seq: number): boolean => seq % 4 === 1 || seq > 100;
        server.turn(() => {
          for (let seq = 1; seq <= 100; seq++) if (!isThere(seq)) stream.delete(seq);
        });
        await synced(stream);
        const lengths = [1, 2].map((block) => blockFile(root, block).length);
        await until(() => [1, 2].every((block, i) => blockFile(root, block).length < (lengths[i] ?? 0) / 1.5));
        checkMessages(stream, isThere);
        const before = stream.state;
        // The next one is erased where it lies now.
        server.turn(() => assert.ok(stream.delete(9, true)));
        await synced(stream);
        checkMessages(stream, (seq) => isThere(seq) && seq !== 9);
        await server.stop();
        const again = open(root, encryption);
        const after = await again.store.recover(again.options('S', { limits: small }));
        assert.deepEqual(after.state.messages, before.messages - 1);
        assert.equal(after.state.lastSeq, before.lastSeq);
        checkMessages(after, (seq) => isThere(seq) && seq !== 9);
        await again.stop();
      });
    }
  });
}

test('only blocks that become full after compression was asked for are compressed', async () => {
  const root = temporaryFolder();
  const server = open(root);
  const stream = server.store.create(server.options('S', { limits: small }), '{}');
  await append(server, stream, 60);
  stream.setCompression('s2');
  await append(server, stream, 60);
  await until(() => isPacked(blockFile(root, 2)));
  assert.ok(!isPacked(blockFile(root, 1)));
  checkMessages(stream, () => true);
  await server.stop();
});

test('a compressed block that is damaged says so and is not read', () => {
  const content = encoder.encode('a'.repeat(5000));
  const packed = packBlock(content);
  assert.ok(packed);
  assert.deepEqual(unpackBlock(packed), content);
  for (let at = 4; at < packed.length - 8; at += 3) {
    const damaged = Uint8Array.from(packed);
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    assert.throws(() => unpackBlock(damaged), /compressed block is damaged/);
  }
  for (const length of [5, 20, packed.length - 1]) assert.throws(() => unpackBlock(packed.subarray(0, length)));
});
