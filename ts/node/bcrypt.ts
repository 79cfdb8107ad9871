// Comparing passwords with bcrypt hashes. A hash as operators make them takes a tenth of a second of pure computing, which would stop
// every connection of the loop, so it goes to threads that start with the first such password and end when idle. Cheap hashes, and
// machines where threads cannot start, are served where we are.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Piscina } from 'piscina';

export interface BcryptTask {
  readonly password: string;
  readonly hash: string;
}

/** Hashes of this cost or less are compared in a few milliseconds. */
const CHEAP_COST = 6;
const MOST_THREADS = 4;
const IDLE_MS = 5_000;

/** The comparison itself, on whichever thread; a malformed hash is nobody's. */
export async function compareHere({ password, hash }: BcryptTask): Promise<boolean> {
  const { compare } = await import('bcryptjs');
  // `$2x$` marks hashes of an implementation with a bug that ASCII passwords never met.
  return compare(password, hash.replace(/^\$2x\$/, '$2a$')).catch(() => false);
}

function isCheap(hash: string): boolean {
  const cost = /^\$2[abxy]\$(\d\d)\$/.exec(hash)?.[1];
  return cost === undefined || Number(cost) <= CHEAP_COST;
}

async function startPool(): Promise<Piscina<BcryptTask, boolean>> {
  const { Piscina: Pool } = await import('piscina');
  const directory = dirname(fileURLToPath(import.meta.url));
  const bundled = join(directory, 'jobs-worker.js');
  return new Pool<BcryptTask, boolean>({
    filename: existsSync(bundled) ? bundled : join(directory, 'jobs-worker.ts'),
    name: 'compareBcrypt',
    minThreads: 0,
    maxThreads: Math.min(MOST_THREADS, availableParallelism()),
    idleTimeout: IDLE_MS,
  });
}

export class BcryptThreads {
  #pool: Promise<Piscina<BcryptTask, boolean>> | undefined;

  async compare(password: string, hash: string): Promise<boolean> {
    const task = { password, hash };
    if (isCheap(hash)) return compareHere(task);
    try {
      this.#pool ??= startPool();
      return await (await this.#pool).run(task);
    } catch {
      return compareHere(task);
    }
  }

  async stop(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    this.#pool = undefined;
    await pool?.destroy();
  }
}
