// The S2 stream of a tar, made by the jobs pool: each block is a task of its own, small members are put together to one. Their chunks follow each
// other in order, whichever thread made them.
//
//   opening | chunks of [head, content, padding] of members ... | chunks of [..., end of the tar]
//
// Kept true: some tasks are ahead of the reader and no more, and their room is used again; a record that is overwritten while its block is read
// is in the archive whole or overwritten: the block is read once more, and in the end where nothing is written meanwhile; nothing reads a file
// any more when `stop` resolves.

import { concatBytes, openings } from '../../core/archive/s2-stream.ts';
import { tarEnd, tarMemberHead, tarPadding } from '../../core/archive/tar-writer.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Jobs, PackTask } from '../../ports/jobs.ts';
import { StoreFault, type ArchivedBlock, type ArchiveMember } from './store.ts';

/** Tasks that are under way or wait to be read. */
const AHEAD = 3;
/** So often a block is read beside what overwrites it. */
const MOST_READS = 3;
/** What small members have together in one task. */
const TOGETHER = 1 << 20;
/** What the chunks of a task are larger than its content at most, for each mebibyte and for what stands around a compressed block. */
const CHUNK_ROOM = 16;
const TASK_ROOM = 4096;

/** Rooms have sizes alike, so that one is large enough for the next block. */
function roundUp(size: number): number {
  return Math.ceil(size / 65536) * 65536;
}

const nothing = new Uint8Array(0);

export interface PackingPorts {
  readonly disk: Pick<Disk, 'size' | 'read'>;
  readonly jobs: Pick<Jobs, 'pack'>;
}

type Part =
  { readonly content: Uint8Array } | { readonly head: Uint8Array; readonly member: ArchiveMember; readonly block: ArchivedBlock };

/** What the tasks are over. */
function* partsOf(members: readonly ArchiveMember[], seconds: number): Generator<Part> {
  let small: Uint8Array[] = [];
  let bytes = 0;
  for (const member of members) {
    const { name, size, source } = member;
    const head = tarMemberHead(name, size, seconds);
    if (source instanceof Uint8Array) {
      small.push(...head, source, tarPadding(size));
      bytes += size;
      if (bytes < TOGETHER) continue;
    } else {
      small.push(...head);
    }
    const content = concatBytes(small);
    yield source instanceof Uint8Array ? { content } : { head: content, member, block: source };
    [small, bytes] = [[], 0];
  }
  yield { content: concatBytes([...small, tarEnd()]) };
}

interface Packed {
  readonly bytes: Uint8Array;
  readonly room: Uint8Array;
}

export class Packing {
  readonly #ports: PackingPorts;
  readonly #parts: Iterator<Part>;
  readonly #ahead: Promise<Packed>[] = [];
  /** Room that no task has. */
  readonly #rooms: Uint8Array[] = [];
  #read: Packed | undefined;
  #begun = false;
  #stopped = false;

  constructor(ports: PackingPorts, members: readonly ArchiveMember[], seconds: number) {
    this.#ports = ports;
    this.#parts = partsOf(members, seconds);
  }

  /** The next stretch, valid until the next call; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#read !== undefined) this.#rooms.push(this.#read.room);
    this.#read = undefined;
    this.#goAhead();
    if (!this.#begun) {
      this.#begun = true;
      return openings[0];
    }
    // It stays with those that `stop` waits for until it is read.
    const packed = await this.#ahead[0];
    void this.#ahead.shift();
    this.#read = packed;
    this.#goAhead();
    return packed?.bytes;
  }

  /** Resolves when no task is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.allSettled(this.#ahead);
  }

  #goAhead(): void {
    while (!this.#stopped && this.#ahead.length < AHEAD) {
      const { value, done } = this.#parts.next();
      if (done === true) return;
      const packed = this.#pack(value);
      // Who reads gets the fault; until then nobody may be there to see it.
      packed.catch(() => undefined);
      this.#ahead.push(packed);
    }
  }

  async #pack(part: Part): Promise<Packed> {
    const room = this.#roomFor(part);
    const changes = 'block' in part ? part.block.changes : () => 0;
    for (let reads = 1, before = changes(); ; reads++, before = changes()) {
      const isReadHere = reads > MOST_READS;
      const { length, problem } = await this.#ports.jobs.pack(this.#task(part, room, isReadHere));
      if (changes() !== before && !isReadHere && !this.#stopped) continue;
      if (problem !== undefined) throw new StoreFault('BLOCK', 'block' in part ? `${part.block.file.path}: ${problem}` : problem);
      return { bytes: room.subarray(0, length), room };
    }
  }

  #task(part: Part, into: Uint8Array, isReadHere: boolean): PackTask {
    if ('content' in part)
      return { head: nothing, tail: nothing, source: part.content, size: part.content.length, packed: false, into };
    const { head, member, block } = part;
    const { file, key, packed } = block;
    const source = isReadHere ? this.#contentOf(block, member.size) : file;
    const task = { head, tail: tarPadding(member.size), source, size: member.size, packed, into };
    return key === undefined ? task : { ...task, key };
  }

  /** A block's file as it is now. */
  #contentOf({ file, packed }: ArchivedBlock, size: number): Uint8Array {
    const { disk } = this.#ports;
    const content = new Uint8Array(packed ? disk.size(file) : size);
    disk.read(file, content, 0);
    return content;
  }

  #roomFor(part: Part): Uint8Array {
    const content = 'content' in part ? part.content.length : part.head.length + this.#largest(part);
    const needed = roundUp(content + CHUNK_ROOM * (content >> 16) + TASK_ROOM);
    const at = this.#rooms.findIndex(({ length }) => length >= needed);
    // Where none is large enough, the next one takes the place of one that is not.
    const [room] = this.#rooms.splice(Math.max(at, 0), 1);
    return at < 0 || room === undefined ? new Uint8Array(new SharedArrayBuffer(needed)) : room;
  }

  /** The chunks of a compressed block are taken as they are. */
  #largest({ member, block }: { readonly member: ArchiveMember; readonly block: ArchivedBlock }): number {
    return block.packed ? Math.max(member.size, this.#ports.disk.size(block.file)) : member.size;
  }
}
