// The memory of streams in memory: pieces of one size, cut from slabs. A piece that no file has any more serves the next file; a slab of which all
// pieces are free is let go, so that the system has its memory back.
//
// - Slabs are shared memory, although one thread uses them: V8 takes the bytes of buffers of its own for growth of its heap, and collected all of it
//   three times a second while a memory stream filled, a third of the server's CPU. Shared memory it does not count.
// - Therefore it has to be told of slabs let go: by a large buffer of its own that nobody writes to, and that takes no memory for that reason. It
//   begins to collect then; a moment behind the last use of the slabs, so that a collection that is under way does not take them for used.
// - A slab is so large that the allocator of the process asks the system for it, and gives it back at once (glibc: 32 MiB and more). What nobody
//   has written to takes no memory.

import type { Clock, Timer } from '../../ports/clock.ts';

/** Bytes of a piece. */
export const PIECE = 256 << 10;
const SLAB = 32 << 20;
/** When V8 is told of slabs let go, and by how large a buffer. */
const TELL_MS = 1000;
const TELLING = 64 << 20;

/** A piece is a view of the slab that its `buffer` is. */
export class MemoryPieces {
  /** The free pieces of every slab. */
  readonly #slabs = new Map<ArrayBufferLike, Uint8Array[]>();
  /** Of those that have any. */
  readonly #free = new Set<Uint8Array[]>();
  readonly #clock: Clock;
  #telling: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A piece; what is in it is not cleared. */
  take(): Uint8Array {
    for (const pieces of this.#free) {
      const piece = pieces.pop();
      if (pieces.length === 0) this.#free.delete(pieces);
      if (piece !== undefined) return piece;
    }
    return this.#newSlab();
  }

  /** Makes a slab and takes its first piece. */
  #newSlab(): Uint8Array {
    const slab = new SharedArrayBuffer(SLAB);
    const pieces: Uint8Array[] = [];
    for (let at = SLAB - PIECE; at > 0; at -= PIECE) pieces.push(new Uint8Array(slab, at, PIECE));
    this.#slabs.set(slab, pieces);
    this.#free.add(pieces);
    return new Uint8Array(slab, 0, PIECE);
  }

  /** Takes a piece back; views of anything else are left alone. */
  give(piece: Uint8Array): void {
    const slab = piece.buffer;
    const pieces = this.#slabs.get(slab);
    if (pieces === undefined) return;
    pieces.push(piece);
    this.#free.add(pieces);
    if (pieces.length < SLAB / PIECE || this.#free.size === 1) return;
    this.#free.delete(pieces);
    this.#slabs.delete(slab);
    this.#telling ??= this.#clock.after(TELL_MS, () => {
      this.#telling = undefined;
      void new ArrayBuffer(TELLING);
    });
  }

  stop(): void {
    this.#telling?.cancel();
  }
}
