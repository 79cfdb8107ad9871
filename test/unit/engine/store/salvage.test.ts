/**
 * Bits that flip in blocks on disk, compressed and encrypted ones too: the stream opens, everything that is whole is kept, what is lost is named,
 * the damaged file is set aside, and the next start finds nothing wrong any more.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { chunkHead } from '../../../../ts/core/archive/s2-stream.ts';
import { isPacked, readHead, unpackBlock } from '../../../../ts/core/block/packed-block.ts';
import type { EncryptionOptions } from '../../../../ts/engine/store/cipher/keyring.ts';
import { Keyring } from '../../../../ts/engine/store/cipher/keyring.ts';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { nodeCiphers } from '../../../../ts/node/ciphers.ts';
import { effort, holdsInTime } from '../../../oracle/check.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';

const encoder = new TextEncoder();
/** Blocks of 4 MiB (2 where they are encrypted) with 64 chunks or 32 where they are compressed: one or two that are full, and the last one. */
const limits = { ...noLimits, maxBytes: 10_000_000 };
const messages = 850;
const mostLength = 3000;
const chacha: EncryptionOptions = { key: 'k', prevKey: '', cipher: 'chacha' };
const aes: EncryptionOptions = { key: 'k', prevKey: '', cipher: 'aes' };

/** Half of it repeats, half does not. */
function payloadOf(seq: number): string {
  let state = seq * 7919;
  let noise = '';
  while (noise.length < mostLength) noise += (state = (state * 48271) % 2147483647).toString(36);
  return `message ${seq} ${noise}${'.'.repeat(mostLength)}`;
}

interface Form {
  readonly encryption?: EncryptionOptions;
  readonly compression: 'none' | 's2';
}

/** A stretch of a block's file that stands and falls together, and the messages that need it. */
interface Unit {
  readonly from: number;
  readonly to: number;
}

/** A block as it was before anything flipped. */
interface Whole {
  readonly block: number;
  readonly file: Buffer;
  readonly units: readonly Unit[];
  /** Of each message of the block the units it lies in. */
  readonly needs: ReadonlyMap<number, readonly Unit[]>;
}

function open(root: string, { encryption }: Form): TestStore {
  return openTestStore(root, undefined, 0, encryption === undefined ? {} : { encryption });
}

const blocksOf = (root: string): string => join(root, '$G/streams/S/msgs');

function decipher(root: string, block: number, file: Buffer, { encryption }: Form): Buffer {
  if (encryption === undefined) return file;
  const key = new Keyring(encryption, nodeCiphers).open('$G', `S:${block}`, readFileSync(join(blocksOf(root), `${block}.key`)));
  assert.ok(key);
  return Buffer.from(nodeCiphers.keyStream(key.content)(file, 0));
}

/** The chunks of a compressed file with where their contents lie, the 8 bytes at its end last. */
function chunksOf(plain: Buffer): { readonly unit: Unit; readonly contentFrom: number; readonly contentTo: number }[] {
  const { at: begin, size } = readHead(plain);
  const found = [];
  let contentFrom = 0;
  for (let at = begin; at < plain.length - 8;) {
    const to = at + chunkHead + plain.readUIntLE(at + 1, 3);
    if ((plain[at] ?? 0) <= 1) {
      const contentTo = Math.min(contentFrom + 65536, size - 8);
      found.push({ unit: { from: at, to }, contentFrom, contentTo });
      contentFrom = contentTo;
    }
    at = to;
  }
  found.push({ unit: { from: plain.length - 8, to: plain.length }, contentFrom: size - 8, contentTo: size });
  return found;
}

/** Where each record lies in a content: this test's messages are all as long as they say. */
function recordsOf(first: number, size: number): { readonly seq: number; readonly from: number; readonly to: number }[] {
  const found = [];
  let at = 0;
  for (let seq = first; at < size; seq++) {
    const length = 30 + 'a.b'.length + payloadOf(seq).length;
    found.push({ seq, from: at, to: at + length });
    at += length;
  }
  assert.equal(at, size);
  return found;
}

function wholeBlocks(root: string, form: Form): Whole[] {
  let first = 1;
  return readdirSync(blocksOf(root))
    .filter((name) => name.endsWith('.blk'))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b)
    .map((block) => {
      const file = readFileSync(join(blocksOf(root), `${block}.blk`));
      const plain = decipher(root, block, file, form);
      const isCompressed = isPacked(plain);
      const chunks = isCompressed ? chunksOf(plain) : [];
      const records = recordsOf(first, isCompressed ? readHead(plain).size : plain.length);
      first += records.length;
      const needs = new Map(
        records.map(({ seq, from, to }) => [
          seq,
          isCompressed
            ? chunks.filter(({ contentFrom, contentTo }) => contentFrom < to && contentTo > from).map(({ unit }) => unit)
            : [{ from, to }],
        ]),
      );
      return { block, file, units: chunks.map(({ unit }) => unit), needs };
    });
}

async function makeStore(root: string, form: Form): Promise<Whole[]> {
  const server = open(root, form);
  const stream = server.store.create(server.options('S', { limits, compression: form.compression }), '{"name":"S"}');
  for (let seq = 1; seq <= messages;) {
    server.turn(() => {
      for (let n = 0; n < 50; n++) stream.append({ subject: 'a.b', payload: encoder.encode(payloadOf(seq++)) });
    });
    await synced(stream);
  }
  const most = form.encryption === undefined ? 4_100_000 : 2_050_000;
  const isLong = (name: string): boolean => statSync(join(blocksOf(root), name)).size > most;
  if (form.compression === 's2') await until(() => !readdirSync(blocksOf(root)).some(isLong));
  await server.stop();
  return wholeBlocks(root, form);
}

function contentOf(stream: StreamStore): Map<number, string> {
  const found = new Map<number, string>();
  for (let seq = 1; seq <= messages; seq++) {
    const message = stream.get(seq);
    if (message !== undefined) found.set(seq, Buffer.from(message.payload).toString());
  }
  return found;
}

/** Where the length of a subject is in a record: no checksum covers it. */
const SUBJECT_LENGTH = 20;

interface Flip {
  readonly block: number;
  readonly at: number;
  readonly bit: number;
}

function flipIn(blocks: readonly Whole[]): fc.Arbitrary<Flip> {
  return fc.constantFrom(...blocks).chain((block) => {
    const { length } = block.file;
    const heads = block.units.flatMap(({ from }) => [0, 1, 2, 3, 4, 8].map((more) => Math.min(from + more, length - 1)));
    const places = [fc.nat(length - 1), fc.nat(24), fc.integer({ min: length - 16, max: length - 1 })];
    if (heads.length > 0) places.push(fc.constantFrom(...heads));
    const isCovered = (at: number): boolean =>
      block.units.length > 0 ||
      ![...block.needs.values()].some(
        ([record]) => at - (record?.from ?? 0) === SUBJECT_LENGTH || at - (record?.from ?? 0) === SUBJECT_LENGTH + 1,
      );
    return fc.record({ block: fc.constant(block.block), at: fc.oneof(...places).filter(isCovered), bit: fc.nat(7) });
  });
}

/** Flips anywhere, or in the heads of chunks that follow each other: what lies between two of them is whole. */
function flipsIn(blocks: readonly Whole[]): fc.Arbitrary<Flip[]> {
  const anywhere = fc.array(flipIn(blocks), { minLength: 1, maxLength: 4 });
  const compressed = blocks.filter(({ units }) => units.length > 0);
  if (compressed.length === 0) return anywhere;
  const inHead = fc.record({ further: fc.nat(3), more: fc.nat(8), bit: fc.nat(7) });
  const neighbours = fc
    .record({ of: fc.constantFrom(...compressed), first: fc.nat(63), heads: fc.array(inHead, { minLength: 1, maxLength: 3 }) })
    .map(({ of: { block, units, file }, first, heads }) =>
      heads.map(({ further, more, bit }) => {
        const from = units[Math.min((first % units.length) + further, units.length - 1)]?.from ?? 0;
        return { block, at: Math.min(from + more, file.length - 1), bit };
      }),
    );
  return fc.oneof({ weight: 3, arbitrary: anywhere }, { weight: 1, arbitrary: neighbours });
}

/** A flipped bit may change nothing: where everything is the same, a copy may come from anywhere. */
function isAsGood(bytes: Buffer, original: Buffer): boolean {
  if (bytes.equals(original)) return true;
  try {
    return isPacked(bytes) && Buffer.from(unpackBlock(bytes)).equals(unpackBlock(original));
  } catch {
    return false;
  }
}

async function checkFlips(root: string, form: Form, blocks: readonly Whole[], flips: readonly Flip[]): Promise<void> {
  const folder = blocksOf(root);
  for (const { block, file } of blocks) writeFileSync(join(folder, `${block}.blk`), file);
  for (const name of readdirSync(folder)) if (!/^\d+\.(blk|key)$/.test(name)) rmSync(join(folder, name));
  const damaged = new Map<number, Buffer>();
  for (const { block, at, bit } of flips) {
    const bytes = damaged.get(block) ?? Buffer.from(blocks.find((whole) => whole.block === block)?.file ?? []);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
    damaged.set(block, bytes);
  }
  for (const [block, bytes] of damaged) writeFileSync(join(folder, `${block}.blk`), bytes);
  const changed = blocks.filter(({ block, file }) => {
    const bytes = damaged.get(block);
    return bytes !== undefined && !isAsGood(decipher(root, block, bytes, form), decipher(root, block, file, form));
  });

  const server = open(root, form);
  const stream = await server.store.recover(server.options('S', { limits }));
  const kept = contentOf(stream);
  for (const [seq, payload] of kept) assert.ok(payload === payloadOf(seq), `message ${seq} is what it was`);
  const named = new Set(stream.state.lost?.messages ?? []);
  const lastKept = Math.max(...kept.keys());
  for (const { block, needs } of blocks) {
    const hit = flips.filter((flip) => flip.block === block).map(({ at }) => at);
    for (const [seq, units] of needs) {
      const isWhole = units.every(({ from, to }) => !hit.some((at) => at >= from && at < to));
      if (isWhole) assert.ok(kept.has(seq), `message ${seq} in block ${block} is whole`);
      if (!kept.has(seq) && seq < lastKept) assert.ok(named.has(seq), `lost message ${seq} is named`);
    }
  }
  for (const seq of named) assert.ok(!kept.has(seq), `message ${seq} is named and there`);
  for (const { block } of changed) {
    const line = server.log.lines.find((text) => text.includes(`/${block}.blk has`));
    assert.ok(line?.includes(`Stream 'S'`), `block ${block} is reported`);
    assert.ok(
      readdirSync(folder).some((name) => name.startsWith(`${block}.damaged`)),
      `of block ${block} the damage is kept`,
    );
  }
  const { lost: _, ...state } = stream.state;
  server.turn(() => assert.ok(stream.append({ subject: 'a.b', payload: encoder.encode('more') }) > lastKept));
  await synced(stream);
  await server.stop();

  const again = open(root, form);
  const after = await again.store.recover(again.options('S', { limits }));
  assert.deepEqual(contentOf(after).size, kept.size + (state.lastSeq < messages ? 1 : 0));
  assert.equal(after.state.messages, state.messages + 1);
  assert.equal(after.state.lost, undefined);
  assert.deepEqual(
    again.log.lines.filter((line) => line.startsWith('WRN')),
    [],
  );
  await again.stop();
}

const forms: Readonly<Record<string, Form>> = {
  plain: { compression: 'none' },
  s2: { compression: 's2' },
  chacha: { compression: 'none', encryption: chacha },
  aes: { compression: 'none', encryption: aes },
  's2 in chacha': { compression: 's2', encryption: chacha },
  's2 in aes': { compression: 's2', encryption: aes },
};

for (const [name, form] of Object.entries(forms)) {
  describe(`bits flip in blocks (${name})`, () => {
    test('everything that is whole is kept, the rest is named and set aside', async () => {
      const root = temporaryFolder();
      const blocks = await makeStore(root, form);
      assert.ok(blocks.length >= 2);
      await holdsInTime(
        fc.asyncProperty(flipsIn(blocks), (flipped) => checkFlips(root, form, blocks, flipped)),
        effort(12),
      );
    });
  });
}

test('where the length and the name of a stream of chunks are damaged, everything is kept and the next start finds nothing', async () => {
  const root = temporaryFolder();
  const form = { compression: 's2' } as const;
  const blocks = await makeStore(root, form);
  const [first] = blocks;
  assert.ok(first !== undefined && isPacked(first.file));
  const flips = [
    { block: 1, at: readHead(first.file).at + 1, bit: 0 },
    { block: 1, at: 4, bit: 1 },
  ];
  await checkFlips(root, form, blocks, flips);
});

test('a chunk that rots under a running server costs the messages in it', async () => {
  const root = temporaryFolder();
  const form = { compression: 's2' } as const;
  const [first] = await makeStore(root, form);
  const unit = first?.units[20];
  assert.ok(first !== undefined && unit !== undefined);
  const server = open(root, form);
  const stream = await server.store.recover(server.options('S', { limits }));
  const bytes = Buffer.from(first.file);
  bytes[unit.from + 100] = (bytes[unit.from + 100] ?? 0) ^ 1;
  writeFileSync(join(blocksOf(root), '1.blk'), bytes);
  const kept = contentOf(stream);
  for (let seq = 1; seq <= messages; seq++)
    assert.equal(kept.get(seq) === payloadOf(seq), !(first.needs.get(seq) ?? []).includes(unit), `message ${seq}`);
  assert.ok(server.log.lines.some((line) => line.startsWith('ERR') && line.includes('1.blk cannot be read')));
  await server.stop();
});
