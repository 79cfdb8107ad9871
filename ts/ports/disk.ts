// The disk port: files and directories as the store uses them. Small and rare operations are plain calls; appends are one gathered write at a
// known offset; syncs run apart from everything else, unless they are done at once, and report when they are through. A call that fails throws a DiskFault.
// Paths are absolute; directories are made with mode 0700, files with 0600.

/** An operation the disk refused. `code` is the system's (`ENOSPC`, `EIO`, ...), `SHORT` for a write that took fewer bytes. */
export class DiskFault extends Error {
  readonly code: string;
  readonly path: string;
  constructor(code: string, path: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.path = path;
  }
}

/** An open file; `path` is for messages. */
export interface OpenFile {
  readonly descriptor: number;
  readonly path: string;
}

/** A file mapped into memory for reading. Unmapped when nothing refers to its bytes any more. */
export interface MappedFile {
  readonly bytes: Uint8Array;
  /** Tells the system that the pages are not needed for now. */
  letGo(): void;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly directory: boolean;
}

/** What a round of syncs found: the files whose sync failed, with the reason. */
export interface SyncFailure {
  readonly file: OpenFile;
  readonly fault: DiskFault;
}

export interface Disk {
  exists(path: string): boolean;
  /** Entries of a directory in no order; empty when there is no such directory. */
  list(path: string): DirectoryEntry[];
  /** Makes a directory and those above it; false when it was there. */
  makeDirectory(path: string): boolean;
  /** Undefined when there is no such file. */
  readWhole(path: string): Uint8Array | undefined;
  /** Writes a file from its beginning, synced if `durable`. */
  writeWhole(path: string, content: Uint8Array, durable: boolean): void;
  /** Replaces a file by way of a temporary one: written, synced if `durable`, renamed, directory synced if `durable`. */
  replace(path: string, content: Uint8Array, durable: boolean): void;
  rename(from: string, to: string): void;
  /** Removes a file; nothing happens when there is none. */
  remove(path: string): void;
  removeTree(path: string): void;
  /** Takes a file or directory away, and into `into`, which then goes with all that is in it, apart from everything else; nothing happens when there is none. */
  discard(path: string, into: string): void;
  /** Removes a directory and all that is in it, apart from everything else. */
  discardTree(path: string): void;
  syncDirectory(path: string): void;

  /** Opens for reading and writing; `create` makes the file when there is none. */
  open(path: string, create: boolean): OpenFile;
  /** Opens a directory, to be synced like a file. */
  openDirectory(path: string): OpenFile;
  close(file: OpenFile): void;
  size(file: OpenFile): number;
  /** Reads into `into` at an offset; returns how many bytes there were. */
  read(file: OpenFile, into: Uint8Array, offset: number): number;
  /** Writes all views one after the other at an offset, in one gathered write. */
  write(file: OpenFile, views: readonly Uint8Array[], offset: number): void;
  /** Writes bytes at an offset, apart from everything else; they stay as they are until `done` is called, on the event loop. */
  writeApart(file: OpenFile, bytes: Uint8Array, offset: number, done: (fault: DiskFault | undefined) => void): void;
  /** Cuts a file to a length. */
  cut(file: OpenFile, length: number): void;
  /** Syncs the data of files, apart from everything else or at once; `done` is called once, on the event loop, perhaps before this returns. */
  sync(files: readonly OpenFile[], done: (failures: readonly SyncFailure[]) => void): void;
  /** Maps a file for reading; undefined where maps are not to be had. */
  map(file: OpenFile, size: number): MappedFile | undefined;
  /** Ends the threads; pending syncs are finished first. What is being removed may stay. */
  stop(): Promise<void>;
}
