// The jobs port: long work over files, done beside the event loop by the same record code over memories of its own.

export interface ScanTask {
  readonly path: string;
  /** The stream's name: the checksums are keyed by it. */
  readonly stream: string;
  readonly block: number;
}

/** A stretch of a block that is no record, with good records behind it. */
export interface Damage {
  readonly offset: number;
  readonly length: number;
  /** The highest sequence in front of it in this block, 0 for none, and the sequence of the record behind it. */
  readonly before: number;
  readonly behind: number;
}

/** What a scan found. The arrays are not copied between threads; their layouts are drawn in wasm/record/scan.ts. */
export interface ScanResult {
  readonly block: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Offset behind the last good record. */
  readonly goodEnd: number;
  readonly damages: readonly Damage[];
  readonly tombstones: number;
  readonly entries: Uint8Array;
  readonly subjects: Uint8Array;
  readonly subjectCount: number;
  /** Set instead of a scan: the block is `compressed`, or could not be read (the system's words). */
  readonly problem?: string;
}

export interface Jobs {
  scan(tasks: readonly ScanTask[]): Promise<ScanResult[]>;
  stop(): Promise<void>;
}
