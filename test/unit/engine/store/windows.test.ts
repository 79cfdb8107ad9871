/** Windows over block files: what is read, when it is read again, and what the kernel finds in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockFiles } from '../../../../ts/engine/store/block-files.ts';
import { Windows, type Window } from '../../../../ts/engine/store/windows.ts';
import { Kernel } from '../../../../ts/kernel/kernel.ts';
import { StreamKernel } from '../../../../ts/kernel/streams.ts';
import { DiskFault } from '../../../../ts/ports/disk.ts';
import { serverKernel } from '../../../support/broker.ts';

const stream = 4096;
const other = 8192;

/** Files of any number of blocks, each byte of which says where it is; `size` long, and unreadable up to `bad`. */
class NumberedFiles {
  readonly reads: (readonly [block: number, offset: number, length: number])[] = [];
  readonly #contents = new Map<number, Uint8Array>();
  size = 1 << 20;
  bad = 0;

  read(block: number, into: Uint8Array, offset: number): number {
    if (offset < this.bad) throw new DiskFault('EIO', 'block', 'bad sector');
    this.reads.push([block, offset, into.length]);
    const there = this.content(block).subarray(offset, Math.min(offset + into.length, this.size));
    into.set(there);
    return there.length;
  }

  content(block: number): Uint8Array {
    const known = this.#contents.get(block);
    if (known !== undefined) return known;
    const content = new Uint8Array(1 << 20);
    for (let offset = 0; offset < content.length; offset++) content[offset] = block * 7 + offset + (offset >> 8);
    this.#contents.set(block, content);
    return content;
  }
}

function opened() {
  const kernel = new StreamKernel(new Kernel({ module: serverKernel, seed: [1, 2] }));
  const windows = new Windows(kernel);
  const files = new NumberedFiles();
  const over = (block: number, offset: number, length: number, ahead = 0, of = stream): Window | undefined =>
    windows.over(of, files as unknown as BlockFiles, block, offset, length, ahead);
  const check = (window: Window | undefined, offset: number, length: number): void => {
    assert.ok(window !== undefined && window.from <= offset && window.to >= offset + length);
    const bytes = kernel.memory.bytes(window.address + (offset - window.from), length);
    assert.ok(bytes.equals(files.content(window.block).subarray(offset, offset + length)));
  };
  const knows = (block: number, offset: number, length: number): boolean =>
    kernel.exports.findWindow(stream, block, offset, length) >= 0;
  return { windows, files, over, check, knows };
}

test('a single message is read alone; the next one in its step brings the whole step', () => {
  const { files, over, check, knows } = opened();
  check(over(1, 5000, 100), 5000, 100);
  assert.ok(knows(1, 5000, 100) && !knows(1, 5100, 100));
  check(over(1, 5100, 100), 5100, 100);
  check(over(1, 4096, 50), 4096, 50);
  check(over(1, 8000, 100), 8000, 100);
  assert.deepEqual(files.reads, [
    [1, 5000, 100],
    [1, 4096, 4096],
  ]);
});

test('the record at the end of a step is in its window whole', () => {
  const { over, check } = opened();
  over(1, 100, 10);
  check(over(1, 4000, 3000), 4000, 3000);
  check(over(1, 200, 10), 200, 10);
});

test('messages that follow each other, also with others between, are read ahead of', () => {
  for (const stride of [160, 1_300, 6_000]) {
    const { files, over, check } = opened();
    for (let offset = 0; offset < 300_000; offset += stride) check(over(1, offset, 150), offset, 150);
    assert.ok(files.reads.length <= 12, `${files.reads.length} reads`);
  }
});

test("many readers of one block do not take each other's windows", () => {
  const { files, over, check } = opened();
  const readers = Array.from({ length: 8 }, (_, i) => i * 120_000);
  for (let step = 0; step < 600; step++)
    for (const start of readers) check(over(1, start + 160 * step, 150), start + 160 * step, 150);
  assert.ok(files.reads.length <= 8 * 8, `${files.reads.length} reads`);
});

test('messages that lie anywhere are read alone', () => {
  const { files, over } = opened();
  for (let i = 0; i < 500; i++) over(1 + (i % 3), (i * 104_729) % 1_000_000, 150);
  const bytes = files.reads.reduce((sum, [, , length]) => sum + length, 0);
  assert.ok(bytes < 500 * 1_000, `${bytes} bytes`);
});

test('a record larger than a small window, and a batch, get a large one that is read ahead', () => {
  const { files, over, check } = opened();
  check(over(1, 10, 400_000), 10, 400_000);
  check(over(2, 100, 20, 50_000), 100, 50_000);
  check(over(2, 40_000, 20), 40_000, 20);
  assert.deepEqual(files.reads, [
    [1, 10, 400_000],
    [2, 100, 50_000],
  ]);
});

test('bytes in front of a record that cannot be read do not cost the record', () => {
  const { files, over, check } = opened();
  over(1, 5000, 10);
  files.bad = 6000;
  check(over(1, 6000, 100), 6000, 100);
  assert.throws(() => over(1, 4500, 100), DiskFault);
});

test('there is no window over what the file does not have', () => {
  const { files, over, knows } = opened();
  files.size = 5050;
  assert.equal(over(1, 5000, 100), undefined);
  assert.equal(over(1, 5000, 100, 100_000), undefined);
  assert.ok(!knows(1, 5000, 100));
  files.size = 5100;
  assert.ok(over(1, 5000, 100) !== undefined);
});

test('a window is forgotten with its block, and with its stream, and no other is', () => {
  const { windows, over, knows } = opened();
  over(1, 0, 10);
  over(2, 0, 10, 100_000);
  over(1, 9000, 10, 0, other);
  windows.forget(stream, 1);
  assert.ok(!knows(1, 0, 10) && knows(2, 0, 10));
  windows.forget(other);
  assert.ok(knows(2, 0, 10));
  windows.forget(stream);
  assert.ok(!knows(2, 0, 10));
});

test('whatever is asked in whatever order, a window has what the file has', () => {
  const { files, over, check } = opened();
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < 10_000; i++) {
    const length = 1 + random(random(10) === 0 ? 9000 : 300);
    const offset = random(random(2) === 0 ? 20_000 : files.size - length);
    const window = over(random(8), offset, length, random(5) === 0 ? random(30_000) : 0);
    check(window, offset, length);
  }
  assert.ok(files.reads.length < 10_000);
});
