// The jobs port made real: a Piscina pool, loaded and started when there is enough to do for it; a few small files are scanned where we are.
// Idle threads end by themselves.

import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Piscina } from 'piscina';
import type { Jobs, RewriteResult, RewriteTask, ScanResult, ScanTask } from '../ports/jobs.ts';
import { rewriteFile } from './block-rewriter.ts';
import { BlockScanner } from './block-scanner.ts';
import type { JobsWorkerData } from './jobs-worker.ts';
import { loadKernel } from './wasm.ts';

/** Files of this size together take less time than the pool to start. */
const WORTH_A_POOL = 24 << 20;
/** Less than this is done without the pool. */
const SMALL = 64 << 10;
const MOST_THREADS = 8;
const IDLE_MS = 5_000;
/** A thread makes hardly any objects: what it works on is in its kernel's memory. */
const YOUNG_MIB = 4;

/** Tasks of two kinds; which function of the worker runs is named with the second. */
type Pool = Piscina<ScanTask | RewriteTask, ScanResult & RewriteResult>;

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
  #scanner: BlockScanner | undefined;
  #pool: Promise<Pool> | undefined;

  /** `worthAPool`: bytes from which on the pool is used. */
  constructor(worthAPool = WORTH_A_POOL) {
    this.#worthAPool = worthAPool;
  }

  #kernel(): WebAssembly.Module {
    this.#module ??= loadKernel('jobs', this.#directory);
    return this.#module;
  }

  async #start(): Promise<Pool> {
    const { Piscina: Threads } = await import('piscina');
    const workerData: JobsWorkerData = { module: this.#kernel() };
    return new Threads<ScanTask | RewriteTask, ScanResult & RewriteResult>({
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

  async stop(): Promise<void> {
    const pool = await this.#pool;
    this.#pool = undefined;
    this.#scanner = undefined;
    await pool?.destroy();
  }
}
