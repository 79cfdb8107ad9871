// The jobs port for streams in memory: scans run on the threads of the real port over a copy of the block, rewriting is a copy.

import { rewriteBlock } from '../../core/block/rewrite-block.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Jobs, RewriteResult, RewriteTask, ScanResult, ScanTask } from '../../ports/jobs.ts';

export class MemoryJobs implements Jobs {
  readonly #disk: Disk;
  readonly #jobs: Jobs;

  constructor(disk: Disk, jobs: Jobs) {
    this.#disk = disk;
    this.#jobs = jobs;
  }

  scan(tasks: readonly ScanTask[], background?: boolean): Promise<ScanResult[]> {
    const withContent = tasks.map((task) => ({ ...task, content: this.#disk.readWhole(task.path) ?? new Uint8Array(0) }));
    return this.#jobs.scan(withContent, background);
  }

  rewrite({ path, target, keep }: RewriteTask): Promise<RewriteResult> {
    const content = this.#disk.readWhole(path);
    if (content === undefined) return Promise.resolve({ size: 0, packed: false, problem: `${path} is gone` });
    const { file, size, packed } = rewriteBlock(content, keep === undefined ? {} : { keep });
    this.#disk.writeWhole(target, file, false);
    return Promise.resolve({ size, packed });
  }

  /** The threads belong to whoever made them. */
  stop(): Promise<void> {
    return Promise.resolve();
  }
}
