// The jobs port made real: a Piscina pool, loaded and started when there is enough to do for it; a few small files are scanned where we are.
// Idle threads end by themselves.

import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Piscina } from 'piscina';
import type {
  ArchiveResult,
  Jobs,
  PackTask,
  RewriteResult,
  RewriteTask,
  ScanResult,
  ScanTask,
  UnpackTask,
} from '../ports/jobs.ts';
import { ArchiveCodec } from './archive-codec.ts';
import { rewriteFile } from './block-rewriter.ts';
import { BlockScanner } from './block-scanner.ts';
import { JobsKernel } from './jobs-kernel.ts';
import type { JobsWorkerData } from './jobs-worker.ts';
import { loadKernel } from './wasm.ts';

/** Files of this size together take less time than the pool to start. */
const WORTH_A_POOL = 24 << 20;
/** Less than this is done without the pool. */
const SMALL = 64 << 10;
/** Content that is packed or unpacked without the pool: less than a millisecond. */
const SMALL_ARCHIVE = 256 << 10;
const MOST_THREADS = 8;
const IDLE_MS = 5_000;
/** A thread makes hardly any objects: what it works on is in its kernel's memory. */
const YOUNG_MIB = 4;

type Task = ScanTask | RewriteTask | PackTask | UnpackTask;
/** Tasks of four kinds; which function of the worker runs is named with all but the first. */
type Pool = Piscina<Task, ScanResult & RewriteResult & ArchiveResult>;

/** The worker's file: beside the bundle, or the source when run from the sources. */
function workerFile(directory: string): string {
  const bundled = join(directory, 'jobs-worker.js');
  return existsSync(bundled) ? bundled : join(directory, 'jobs-worker.ts');
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

export class NodeJobs implements Jobs {
  readonly #worthAPool: number;
  readonly #directory = dirname(fileURLToPath(import.meta.url));
  #module: WebAssembly.Module | undefined;
  #kernelHere: JobsKernel | undefined;
  #scanner: BlockScanner | undefined;
  #codec: ArchiveCodec | undefined;
  #pool: Promise<Pool> | undefined;

  /** `worthAPool`: bytes from which on the pool is used. */
  constructor(worthAPool = WORTH_A_POOL) {
    this.#worthAPool = worthAPool;
  }

  #compiled(): WebAssembly.Module {
    this.#module ??= loadKernel('jobs', this.#directory);
    return this.#module;
  }

  /** For what is done without the pool. */
  #kernel(): JobsKernel {
    return (this.#kernelHere ??= new JobsKernel(this.#compiled()));
  }

  async #start(): Promise<Pool> {
    const { Piscina: Threads } = await import('piscina');
    const workerData: JobsWorkerData = { module: this.#compiled() };
    return new Threads<Task, ScanResult & RewriteResult & ArchiveResult>({
      filename: workerFile(this.#directory),
      workerData,
      minThreads: 0,
      maxThreads: Math.min(MOST_THREADS, availableParallelism()),
      idleTimeout: IDLE_MS,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
  }

  async scan(tasks: readonly ScanTask[], background = false): Promise<ScanResult[]> {
    const total = tasks.reduce((sum, { path, content }) => sum + (content?.length ?? sizeOf(path)), 0);
    if (background ? total < SMALL : tasks.length < 2 || total < this.#worthAPool) {
      this.#scanner ??= new BlockScanner(this.#kernel());
      const scanner = this.#scanner;
      return tasks.map((task) => scanner.scan(task));
    }
    this.#pool ??= this.#start();
    const pool = await this.#pool;
    return Promise.all(tasks.map((task) => pool.run(task)));
  }

  /** Small blocks are rewritten here: the sync that ends it is as long as all the rest. */
  async rewrite(task: RewriteTask): Promise<RewriteResult> {
    if (sizeOf(task.path) < SMALL) return rewriteFile(task);
    this.#pool ??= this.#start();
    const pool = await this.#pool;
    return pool.run(task, { name: 'rewriteFile' });
  }

  async pack(task: PackTask): Promise<ArchiveResult> {
    if (task.size < SMALL_ARCHIVE) return (this.#codec ??= new ArchiveCodec(this.#kernel())).pack(task);
    const pool = await (this.#pool ??= this.#start());
    return pool.run(task, { name: 'packArchive' });
  }

  async unpack(task: UnpackTask): Promise<ArchiveResult> {
    if (task.into.length < SMALL_ARCHIVE) return (this.#codec ??= new ArchiveCodec(this.#kernel())).unpack(task);
    const pool = await (this.#pool ??= this.#start());
    return pool.run(task, { name: 'unpackArchive' });
  }

  async stop(): Promise<void> {
    const pool = await this.#pool;
    this.#pool = undefined;
    this.#scanner = undefined;
    this.#codec = undefined;
    this.#kernelHere = undefined;
    await pool?.destroy();
  }
}
