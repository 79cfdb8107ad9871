// The other way: an S2 stream that comes in pieces is cut into groups of whole chunks, which the jobs pool unpacks; their contents come out in
// order, whichever is ready first.
//
//   pieces ─▶ chunk under way, behind the group's whole ones ─▶ groups that wait ─▶ groups under way ─▶ content, until it is taken
//
// Kept true: few groups are under way at once, however much content is in how few bytes, so that no more than that is in memory beside what was
// pushed; a chunk that says it is larger than any may be is refused before it is kept; content keeps its room until it was taken.

import { ArchiveError } from '../../core/archive/archive-error.ts';
import { chunk, chunkHead, chunkSum, mostBody, mostContent, openings } from '../../core/archive/s2-stream.ts';
import { copyBytes } from '../../kernel/copy.ts';
import type { ArchiveResult, Jobs } from '../../ports/jobs.ts';

/** Groups under way. */
const AT_ONCE = 3;
/** A group is complete with so much content, or so many bytes. */
const GROUP_CONTENT = 2 << 20;
const GROUP_BYTES = 1 << 20;
/** Room for the bytes of a group, unless they are few; a chunk of a mebibyte fits. */
const ROOM_BYTES = GROUP_BYTES + (64 << 10);
const FEW_BYTES = 64 << 10;
/** Rooms that are kept for the next ones. */
const MOST_KEPT = { content: 4, packed: 16 };
const LONGEST_OPENING = 6;

const nothing = new Uint8Array(0);

interface Group {
  readonly packed: Uint8Array;
  readonly packedRoom: Uint8Array;
  readonly content: number;
  room: Uint8Array;
  done: Promise<ArchiveResult> | undefined;
}

function shared(size: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(size));
}

/** One of `rooms` that is large enough, or a new one. */
function roomFrom(rooms: Uint8Array[], size: number, usual: number): Uint8Array {
  const at = rooms.findIndex(({ length }) => length >= size);
  return (at < 0 ? undefined : rooms.splice(at, 1)[0]) ?? shared(Math.max(size, usual));
}

/** What a block of a chunk says of its content's length. */
function contentLength(body: Uint8Array): number {
  let value = 0;
  for (let at = chunkSum, scale = 1; at < chunkSum + 5; at++, scale *= 128) {
    const byte = body[at];
    if (byte === undefined) break;
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
  throw new ArchiveError('s2: corrupt input');
}

export class Unpacking {
  readonly #jobs: Pick<Jobs, 'unpack'>;
  readonly #take: (content: Uint8Array) => Promise<void> | undefined;
  readonly #moved: () => void;
  readonly #head = new Uint8Array(chunkHead);
  #headFilled = 0;
  /** Of the chunk under way: bytes that are still to come, kept or not. */
  #missing = 0;
  #isSkipped = false;
  /** Whole chunks, then the one under way, which begins at `#whole`. */
  #buffer: Uint8Array = shared(GROUP_BYTES);
  #filled = 0;
  #whole = 0;
  #content = 0;
  #begun = false;
  /** In order; the first AT_ONCE are under way. */
  readonly #groups: Group[] = [];
  readonly #rooms: Uint8Array[] = [];
  readonly #packedRooms: Uint8Array[] = [];
  #held = 0;
  #running: Promise<void> | undefined;
  #failure: Error | undefined;
  #stopped = false;

  /** `take` gets the content in order, which is used again when what it returns resolves; `moved` is called when there is room again. */
  constructor(jobs: Pick<Jobs, 'unpack'>, take: (content: Uint8Array) => Promise<void> | undefined, moved: () => void) {
    this.#jobs = jobs;
    this.#take = take;
    this.#moved = moved;
  }

  /** Content of all that was pushed and is not taken yet, as far as it is known. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Takes the next piece of the stream. Throws an ArchiveError; then the stream is over. */
  push(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      if (this.#missing > 0) at += this.#keep(piece.subarray(at));
      else this.#addToHead(piece[at++] ?? 0);
    }
    if (this.#groups.length === 0 || this.#isGroup) this.#close();
  }

  /** Resolves when all content was taken; rejects with what went wrong. */
  async end(): Promise<void> {
    this.#close();
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#headFilled > 0 || this.#missing > 0) throw new ArchiveError('s2: the stream ends within a chunk');
    if (!this.#begun) throw new ArchiveError('s2: the stream is empty');
  }

  /** What went wrong behind a push. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Nothing more is taken. */
  stop(): void {
    this.#stopped = true;
    this.#groups.length = 0;
  }

  #addToHead(byte: number): void {
    this.#head[this.#headFilled++] = byte;
    if (this.#headFilled < chunkHead) return;
    this.#headFilled = 0;
    const [type = 0, low = 0, middle = 0, high = 0] = this.#head;
    const size = low | (middle << 8) | (high << 16);
    if (!this.#begun && type !== chunk.identifier) throw new ArchiveError('s2: corrupt input');
    this.#isSkipped = type >= chunk.firstSkipped && type !== chunk.identifier;
    this.#missing = size;
    if (this.#isSkipped) return;
    const known = type === chunk.block || type === chunk.stored || type === chunk.identifier;
    if (!known) throw new ArchiveError(`s2: unsupported chunk type ${type}`);
    if (size > (type === chunk.identifier ? LONGEST_OPENING : mostBody) || size < chunkSum)
      throw new ArchiveError('s2: corrupt input');
    this.#makeRoom(chunkHead + size);
    this.#buffer.set(this.#head, this.#filled);
    this.#filled += chunkHead;
  }

  #makeRoom(size: number): void {
    if (this.#filled + size <= this.#buffer.length) return;
    this.#close();
    if (this.#buffer.length < size) this.#buffer = shared(size);
  }

  #keep(piece: Uint8Array): number {
    const taken = Math.min(piece.length, this.#missing);
    this.#missing -= taken;
    if (this.#isSkipped) return taken;
    copyBytes(this.#buffer, piece.subarray(0, taken), this.#filled);
    this.#filled += taken;
    if (this.#missing === 0) this.#endChunk(this.#buffer.subarray(this.#whole, this.#filled));
    return taken;
  }

  #endChunk(whole: Uint8Array): void {
    const body = whole.subarray(chunkHead);
    if (whole[0] === chunk.identifier) {
      if (!openings.some((opening) => opening.every((byte, at) => whole[at] === byte)))
        throw new ArchiveError('s2: corrupt input');
      this.#begun = true;
      this.#filled = this.#whole;
      return;
    }
    const length = whole[0] === chunk.stored ? body.length - chunkSum : contentLength(body);
    if (length > mostContent) throw new ArchiveError('s2: corrupt input');
    this.#whole = this.#filled;
    this.#content += length;
    this.#held += length;
    if (this.#isGroup) this.#close();
  }

  get #isGroup(): boolean {
    return this.#content >= GROUP_CONTENT || this.#whole >= GROUP_BYTES / 2;
  }

  /** The whole chunks are a group. */
  #close(): void {
    if (this.#whole === 0 || this.#stopped) return;
    const packedRoom = this.#whole < FEW_BYTES ? shared(this.#whole) : roomFrom(this.#packedRooms, this.#whole, ROOM_BYTES);
    const packed = packedRoom.subarray(0, this.#whole);
    copyBytes(packed, this.#buffer.subarray(0, this.#whole));
    this.#buffer.copyWithin(0, this.#whole, this.#filled);
    this.#filled -= this.#whole;
    this.#groups.push({ packed, packedRoom, content: this.#content, room: nothing, done: undefined });
    [this.#whole, this.#content] = [0, 0];
    this.#goOn();
    this.#running ??= this.#run();
  }

  #goOn(): void {
    for (const group of this.#groups.slice(0, AT_ONCE)) {
      if (group.done !== undefined) continue;
      group.room = roomFrom(this.#rooms, group.content, 2 * GROUP_CONTENT);
      group.done = this.#jobs.unpack({ packed: group.packed, into: group.room.subarray(0, group.content) });
      // Its turn may never come, where one in front of it failed.
      group.done.catch(() => undefined);
    }
  }

  async #run(): Promise<void> {
    try {
      for (let group = this.#groups[0]; group !== undefined; group = this.#groups[0]) {
        const result = await group.done;
        if (this.#stopped || result === undefined) return;
        if (result.problem !== undefined) throw new ArchiveError(result.problem);
        await this.#take(group.room.subarray(0, result.length));
        if (this.#stopped) return;
        this.#groups.shift();
        this.#held -= group.content;
        if (this.#rooms.length < MOST_KEPT.content) this.#rooms.push(group.room);
        if (group.packed.length >= FEW_BYTES && this.#packedRooms.length < MOST_KEPT.packed)
          this.#packedRooms.push(group.packedRoom);
        this.#goOn();
        this.#moved();
      }
    } catch (thrown) {
      this.#failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.stop();
      this.#moved();
    } finally {
      this.#running = undefined;
    }
  }
}
