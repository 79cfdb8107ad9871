// What the stock of pieces promises to the streams in memory: each piece has one owner, pieces serve again, and slabs that nobody uses go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryPieces, PIECE } from '../../../../ts/engine/store/memory-pieces.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const A_SLAB = 128;

function take(pieces: MemoryPieces, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => pieces.take());
}

test('no two pieces that are taken share a byte', () => {
  const taken = take(new MemoryPieces(new VirtualClock()), 2 * A_SLAB + 1);
  for (const [number, piece] of taken.entries()) {
    assert.equal(piece.length, PIECE);
    piece.fill(number % 251);
  }
  for (const [number, piece] of taken.entries()) {
    assert.equal(piece[0], number % 251, `the first byte of piece ${number}`);
    assert.equal(piece[PIECE - 1], number % 251, `the last byte of piece ${number}`);
  }
});

test('a piece that is given back is the next one taken', () => {
  const pieces = new MemoryPieces(new VirtualClock());
  const [first] = take(pieces, A_SLAB);
  assert.ok(first !== undefined);
  pieces.give(first);
  assert.equal(pieces.take(), first);
});

test('a slab of which every piece is given back is let go when another one has room', () => {
  const pieces = new MemoryPieces(new VirtualClock());
  const first = take(pieces, A_SLAB);
  const second = take(pieces, 1);
  const slab = first[0]?.buffer;
  assert.notEqual(second[0]?.buffer, slab, 'the slab holds 128 pieces');
  for (const piece of first) pieces.give(piece);
  const buffers = new Set(take(pieces, 2 * A_SLAB).map(({ buffer }) => buffer));
  assert.equal(buffers.has(slab as ArrayBuffer), false, 'pieces of the slab that was let go are handed out');
});

test('the only slab with room stays, so that one stream that fills and empties makes none anew', () => {
  const pieces = new MemoryPieces(new VirtualClock());
  const first = take(pieces, A_SLAB);
  for (const piece of first) pieces.give(piece);
  const buffers = new Set(take(pieces, A_SLAB).map(({ buffer }) => buffer));
  assert.deepEqual([...buffers], [first[0]?.buffer]);
});

test('a buffer that is no piece is not handed out', () => {
  const pieces = new MemoryPieces(new VirtualClock());
  const other = new Uint8Array(PIECE);
  pieces.give(other);
  assert.equal(take(pieces, A_SLAB + 1).includes(other), false);
});

test('slabs that were let go leave one timer, and none once the stock is stopped', () => {
  const clock = new VirtualClock();
  const pieces = new MemoryPieces(clock);
  const taken = take(pieces, 3 * A_SLAB);
  for (const piece of taken) pieces.give(piece);
  assert.equal(clock.waiting, 1);
  clock.advance(1000);
  assert.equal(clock.waiting, 0);
  for (const piece of take(pieces, 2 * A_SLAB)) pieces.give(piece);
  pieces.stop();
  assert.equal(clock.waiting, 0);
});
