// Room ahead: the file of the block that is appended to may be longer than its records, by zeros. A sync of records that lie within the
// length that is on disk writes them and nothing else; one that makes the file longer makes the file system commit its journal too, which is
// a third of the time that one synced message takes.
//
// What stays true: only plain blocks have room (zeros behind encrypted records would decrypt to something else), only the last block has,
// and none has after a clean stop. A start cuts the zeros away, and so does nats-server.

import { DiskFault } from '../../ports/disk.ts';
import type { Disk, OpenFile } from '../../ports/disk.ts';

/** So much is asked for at once. It takes no space: the file system gives blocks to what is written. */
const AHEAD_BYTES = 1 << 20;

/** The code of a fault that is somebody else's writing: what the files have now is left as it is. */
export const FOREIGN = 'FOREIGN';

/** The lengths of a block and its file. */
export interface Lengths {
  /** Of its records. */
  size: number;
  /** Zeros behind them. */
  room: number;
}

/** The file ends where we left it. Somebody else's records are neither written over nor cut away. */
export function checkLength(disk: Disk, file: OpenFile, { size, room }: Lengths): void {
  const found = disk.size(file);
  if (found === size + room) return;
  const message = `${file.path} was changed by another program: it has ${found} bytes where ${size + room} were written`;
  throw new DiskFault(FOREIGN, file.path, message);
}

/** Sees that there is room for what is about to be written, and more. */
export function makeRoom(disk: Disk, file: OpenFile, block: Lengths, bytes: number): void {
  if (bytes <= block.room) return;
  disk.cut(file, block.size + bytes + AHEAD_BYTES);
  block.room = bytes + AHEAD_BYTES;
}

/** Records have been written. */
export function takeRoom(block: Lengths, bytes: number): void {
  block.size += bytes;
  block.room = Math.max(0, block.room - bytes);
}

/** Gives back what was not needed. */
export function giveBackRoom(disk: Disk, file: OpenFile, block: Lengths): void {
  checkLength(disk, file, block);
  disk.cut(file, block.size);
  block.room = 0;
}
