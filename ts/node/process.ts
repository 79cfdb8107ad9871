// The process port made real. CPU use is an average over the time since it was last asked for, at least a second's worth,
// so that a tool polling varz sees what the server does now and not since it started.

import { availableParallelism } from 'node:os';
import type { ProcessFacts, ProcessPort } from '../ports/process.ts';

const shortestSpanMs = 1_000;

export class NodeProcess implements ProcessPort {
  readonly #commandLine: readonly string[];
  readonly #cores = availableParallelism();
  #cpu = process.cpuUsage();
  #atMs = performance.now();
  #percent = 0;

  /** `commandLine` as it may be shown: secrets taken out. */
  constructor(commandLine: readonly string[]) {
    this.#commandLine = commandLine;
  }

  facts(): ProcessFacts {
    const memory = process.memoryUsage();
    return {
      pid: process.pid,
      commandLine: this.#commandLine,
      cores: this.#cores,
      threads: this.#cores,
      memoryBytes: memory.rss,
      heapUsedBytes: memory.heapUsed,
      heapTotalBytes: memory.heapTotal,
      externalBytes: memory.external,
      activeResources: process.getActiveResourcesInfo(),
      cpuPercent: this.#cpuPercent(),
    };
  }

  #cpuPercent(): number {
    const now = performance.now();
    const spanMs = now - this.#atMs;
    if (spanMs < shortestSpanMs) return this.#percent;
    const used = process.cpuUsage(this.#cpu);
    this.#percent = Math.round((used.user + used.system) / spanMs) / 10;
    this.#cpu = process.cpuUsage();
    this.#atMs = now;
    return this.#percent;
  }
}
