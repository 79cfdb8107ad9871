/**
 * The arena: blocks never overlap and keep what was written to them, whatever order they are taken and given back in; and
 * everything comes back.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { effort, holds } from '../../oracle/check.ts';
import { MemoryServer } from '../../oracle/memory-server.ts';
import type { MemoryServerOptions } from '../../oracle/memory-server.ts';

type Action = { readonly take: number } | { readonly give: number };

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(200) },
  { weight: 3, arbitrary: fc.nat(5000) },
  { weight: 2, arbitrary: fc.nat(40_000) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 15, 16, 17, 128, 129, 32_768, 32_769, 65_536, 65_537, 300_000) },
);
const actions = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: size.map((take): Action => ({ take })) },
    { weight: 2, arbitrary: fc.nat(500).map((give): Action => ({ give })) },
  ),
  { maxLength: 400 },
);

interface Block {
  readonly at: number;
  readonly size: number;
  readonly mark: number;
}

/** The block is where blocks may be and apart from all others: taken blocks are sorted by address. */
function assertApart(blocks: readonly Block[]): void {
  const sorted = [...blocks].sort((one, other) => one.at - other.at);
  for (const [index, block] of sorted.entries()) {
    assert.equal(block.at % 16, 0, `the block at ${block.at} is aligned to 16 bytes`);
    const next = sorted[index + 1];
    if (next !== undefined)
      assert.ok(block.at + block.size <= next.at, `${JSON.stringify(block)} reaches into ${JSON.stringify(next)}`);
  }
}

function exercise(server: MemoryServer, steps: readonly Action[]): void {
  const { kernel } = server;
  const blocks: Block[] = [];
  const give = ({ at, size: length, mark }: Block): void => {
    const bytes = kernel.memory.bytes(at, length);
    assert.ok(
      bytes.every((byte) => byte === mark),
      `the block of ${length} bytes at ${at} kept its bytes`,
    );
    kernel.exports.free(at);
  };
  for (const [index, step] of steps.entries()) {
    if ('take' in step) {
      const block = { at: kernel.exports.alloc(step.take) >>> 0, size: step.take, mark: (index % 255) + 1 };
      kernel.memory.bytes(block.at, block.size).fill(block.mark);
      blocks.push(block);
    } else {
      const [block] = blocks.splice(step.give % Math.max(1, blocks.length), 1);
      if (block !== undefined) give(block);
    }
  }
  assertApart(blocks);
  for (const block of blocks) give(block);
}

const places: readonly (MemoryServerOptions & { readonly name: string })[] = [
  { name: 'at the bottom of memory' },
  { name: 'above 2 GiB', arenaPage: 33_000 },
  { name: 'across 2 GiB', arenaPage: 32_760 },
];

for (const { name, ...where } of places) {
  describe(`the arena ${name}`, () => {
    test('keeps blocks apart and gets all of them back', () => {
      const server = new MemoryServer(where);
      const live = server.kernel.exports.liveBytes();
      holds(
        fc.property(actions, (steps) => {
          exercise(server, steps);
          assert.equal(server.kernel.exports.liveBytes(), live);
        }),
        effort(60),
      );
    });

    test('uses pages of one block size for another', () => {
      const server = new MemoryServer(where);
      const { exports } = server.kernel;
      const round = (bytes: number, length: number): void => {
        const taken = Array.from({ length: Math.floor(bytes / length) }, () => exports.alloc(length));
        for (const at of taken) exports.free(at);
      };
      for (const length of [48, 512, 4096, 65_536, 1_000_000]) round(8_000_000, length);
      const pages = exports.usedPages();
      const reserved = server.kernel.memory.size;
      for (const length of [64, 1024, 30_000, 200_000, 80]) round(8_000_000, length);
      assert.ok(exports.usedPages() <= pages + 8, `${exports.usedPages()} pages in use, ${pages} before`);
      assert.equal(server.kernel.memory.size, reserved);
    });
  });
}

test('an arena at its limit stops the kernel instead of handing out the same memory twice', () => {
  const server = new MemoryServer();
  const { exports } = server.kernel;
  exports.limitPages(server.kernel.memory.pages);
  assert.throws(
    () => {
      for (let i = 0; i < 1_000_000; i++) exports.alloc(60_000);
    },
    { name: 'RuntimeError' },
  );
});
