/**
 * The jobs port over a disk in memory: files that a job reads are laid into a real folder for it, what it writes comes back, synced.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MemoryJobs } from '../../ts/engine/store/memory-jobs.ts';
import { NodeJobs } from '../../ts/node/jobs.ts';
import type { Disk } from '../../ts/ports/disk.ts';
import type {
  ArchiveResult,
  Jobs,
  PackTask,
  RewriteResult,
  RewriteTask,
  ScanResult,
  ScanTask,
  UnpackTask,
} from '../../ts/ports/jobs.ts';
import { temporaryFolder } from './temporary.ts';

export class VolatileJobs implements Jobs {
  readonly #disk: Disk;
  readonly #jobs = new NodeJobs();
  /** What is of no file goes where it goes for streams in memory. */
  readonly #memory: MemoryJobs;
  readonly #folder = temporaryFolder();

  constructor(disk: Disk) {
    this.#disk = disk;
    this.#memory = new MemoryJobs(disk, this.#jobs);
  }

  #lay(path: string): string {
    const at = join(this.#folder, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, this.#disk.readWhole(path) ?? new Uint8Array(0));
    return at;
  }

  scan(tasks: readonly ScanTask[], background?: boolean): Promise<ScanResult[]> {
    return this.#jobs.scan(
      tasks.map((task) => ({ ...task, path: this.#lay(task.path) })),
      background,
    );
  }

  async rewrite(task: RewriteTask): Promise<RewriteResult> {
    const target = join(this.#folder, task.target);
    const result = await this.#jobs.rewrite({ ...task, path: this.#lay(task.path), target });
    if (result.problem === undefined) this.#disk.writeWhole(task.target, readFileSync(target), true);
    return result;
  }

  pack(task: PackTask): Promise<ArchiveResult> {
    return this.#memory.pack(task);
  }

  unpack(task: UnpackTask): Promise<ArchiveResult> {
    return this.#memory.unpack(task);
  }

  stop(): Promise<void> {
    return this.#jobs.stop();
  }
}
