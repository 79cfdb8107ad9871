// The jobs port: long work over files, done beside the event loop by the same record code over memories of its own.

import type { ContentKey } from './ciphers.ts';
import type { OpenFile } from './disk.ts';

export interface ScanTask {
  readonly path: string;
  /** The stream's name: the checksums are keyed by it. */
  readonly stream: string;
  readonly block: number;
  /** Of an encrypted block. */
  readonly key?: ContentKey;
  /** The block itself, where it is in no file. */
  readonly content?: Uint8Array;
}

/** A stretch of a block that is no record, with good records behind it: at least as long as the smallest record. */
export interface Damage {
  readonly offset: number;
  readonly length: number;
  /** The highest sequence in front of it in this block, 0 for none, and the sequence of the record behind it. */
  readonly before: number;
  readonly behind: number;
}

/** What a scan found; offsets and sizes are those of the content, decrypted and decompressed. The arrays are not copied between threads; their layouts are drawn in wasm/record/scan.ts. */
export interface ScanResult {
  readonly block: number;
  readonly size: number;
  /** The file is compressed. */
  readonly packed: boolean;
  /** The task had a key and the block is not encrypted: whoever was to encrypt it was interrupted. */
  readonly plain?: true;
  /** Offset behind the last good record. */
  readonly goodEnd: number;
  readonly damages: readonly Damage[];
  readonly tombstones: number;
  readonly entries: Uint8Array;
  readonly subjects: Uint8Array;
  readonly subjectCount: number;
  /**
   * The content scanned here where it is not the file's: of a compressed block that is damaged what could be decoded, zeros or rubbish for the
   * rest; of any block, with more room for a damage that is shorter than a record.
   */
  readonly salvaged?: Uint8Array;
  /** Set instead of a scan: why the block could not be read. */
  readonly problem?: string;
  /** The problem is the disk's: it cannot read the block, and will not be able to. */
  readonly isUnreadable?: true;
}

/** Writes a block's content anew, in another form, into another file, and syncs that. */
export interface RewriteTask {
  readonly path: string;
  readonly target: string;
  /** Of the file as it is, when it is encrypted. */
  readonly key?: ContentKey;
  /** Of the new file, when it is to be encrypted. */
  readonly newKey?: ContentKey;
  /** What stays of the content: offset and length of each stretch. Absent: all of it. */
  readonly keep?: Uint32Array;
  /** Whether the new file is to be compressed. Absent: as it is now. */
  readonly pack?: boolean;
}

export interface RewriteResult {
  /** Bytes of the new content, and whether its file is compressed. */
  readonly size: number;
  readonly packed: boolean;
  /** Set instead: why there is no new file. */
  readonly problem?: string;
}

/** A member of a backup's tar, to be packed into chunks of an S2 stream. */
export interface PackTask {
  /** What stands in the tar before and behind the content. */
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  /** The file, which stays open until the task is done; or what is in it. */
  readonly source: OpenFile | Uint8Array;
  /** Of the content, decrypted and decompressed. */
  readonly size: number;
  readonly key?: ContentKey;
  /** The file is compressed: its chunks are taken as they are. */
  readonly packed: boolean;
  /** Where the chunks are written, shared between threads. */
  readonly into: Uint8Array;
}

/** Whole chunks of an S2 stream, to be unpacked. Both arrays are shared between threads. */
export interface UnpackTask {
  readonly packed: Uint8Array;
  /** As long as the contents are together. */
  readonly into: Uint8Array;
}

export interface ArchiveResult {
  /** Bytes that were written to `into`. */
  readonly length: number;
  /** Set instead: why there are none. */
  readonly problem?: string;
}

export interface Jobs {
  rewrite(task: RewriteTask): Promise<RewriteResult>;
  pack(task: PackTask): Promise<ArchiveResult>;
  unpack(task: UnpackTask): Promise<ArchiveResult>;
  /** `background`: nobody waits for it, the event loop must not. */
  scan(tasks: readonly ScanTask[], background?: boolean): Promise<ScanResult[]>;
  stop(): Promise<void>;
}
