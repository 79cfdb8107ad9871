// Removing what may be large, one file after the other, apart from everything else: the system takes a millisecond and more to let go of a full
// block, and a stream may have thousands.

import { readdir, rmdir, unlink } from 'node:fs/promises';

/** So long the end waits; what is left then is found at the next start. */
const PATIENCE_MS = 2_000;

function unlessGone(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}

function isFilled(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST');
}

export class Removals {
  readonly #paths = new Set<string>();
  readonly #failed: (path: string, error: unknown) => void;
  #running: Promise<void> | undefined;
  #ended = false;

  /** `failed` is told what stays, and why. */
  constructor(failed: (path: string, error: unknown) => void) {
    this.#failed = failed;
  }

  /** A directory is to go, with all that is in it, and what comes into it meanwhile if that is added again. */
  add(path: string): void {
    this.#paths.add(path);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    for (const path of this.#paths) {
      this.#paths.delete(path);
      try {
        await this.#remove(path);
      } catch (error) {
        this.#failed(path, error);
      }
    }
    this.#running = undefined;
  }

  /** Somebody else may remove some of it, or put something in. */
  async #remove(path: string): Promise<void> {
    try {
      for (const entry of await readdir(path, { withFileTypes: true })) {
        if (this.#ended) return;
        const below = `${path}/${entry.name}`;
        if (entry.isDirectory()) await this.#remove(below);
        else await unlink(below).catch(unlessGone);
      }
      await rmdir(path);
    } catch (error) {
      if (!isFilled(error)) unlessGone(error);
    }
  }

  async stop(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
    await Promise.race([this.#running, patience]);
    clearTimeout(timer);
    this.#ended = true;
    await this.#running;
  }
}
