// The jobs port: long work over files, done beside the event loop by the same record code over memories of its own.

export interface ScanTask {
  readonly path: string;
  /** The stream's name: the checksums are keyed by it. */
  readonly stream: string;
  readonly block: number;
}

/** What a scan found. The arrays are not copied between threads; their layouts are drawn in wasm/record/scan.ts. */
export interface ScanResult {
  readonly block: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Offset behind the last good record. */
  readonly goodEnd: number;
  /** Bytes that are damaged with good records behind them. */
  readonly damaged: number;
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
