// The jobs port for streams in memory: scans and packing run on the threads of the real port over a copy of the block, rewriting is
// a copy.

import { rewriteBlock } from '../../core/block/rewrite-block.ts';
import type { Disk } from '../../ports/disk.ts';
import type {
  ArchiveResult,
  Jobs,
  PackTask,
  RewriteResult,
  RewriteTask,
  ScanResult,
  ScanTask,
  UnpackTask,
} from '../../ports/jobs.ts';

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

  pack(task: PackTask): Promise<ArchiveResult> {
    if (task.source instanceof Uint8Array) return this.#jobs.pack(task);
    const source = new Uint8Array(this.#disk.size(task.source));
    this.#disk.read(task.source, source, 0);
    return this.#jobs.pack({ ...task, source });
  }

  unpack(task: UnpackTask): Promise<ArchiveResult> {
    return this.#jobs.unpack(task);
  }

  /** The threads belong to whoever made them. */
  stop(): Promise<void> {
    return Promise.resolve();
  }
}
