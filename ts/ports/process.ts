// The process port: what the operating system says about this process, for `varz`, metrics and `/debug/vars`.
// A port, because the engine and the documents in `ops/` must not read it themselves; tests give fixed numbers.

export interface ProcessFacts {
  readonly pid: number;
  readonly commandLine: readonly string[];
  readonly cores: number;
  /** Worker threads the server may use at once, its event loop included. */
  readonly threads: number;
  /** Set by the operator, absent otherwise. */
  readonly memoryLimitBytes?: number;
  /** Resident memory. */
  readonly memoryBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Outside the JavaScript heap: buffers and the kernel's memory as far as it was touched. */
  readonly externalBytes: number;
  /** What keeps the event loop alive, by kind of resource. */
  readonly activeResources: readonly string[];
  /** Share of one core used lately, in percent; over 100 with several threads. */
  readonly cpuPercent: number;
}

export interface ProcessPort {
  facts(): ProcessFacts;
}
