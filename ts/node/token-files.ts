// A resolver's directory on the real disk, laid out as nats-server does: `<key>.jwt`, and `<key>.jwt.deleted` for what was set aside.

import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TokenFiles } from '../ports/token-files.ts';
import { readIfThere, replaceFile } from './durable-file.ts';

const EXTENSION = '.jwt';

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

export class NodeTokenFiles implements TokenFiles {
  readonly directory: string;

  /** Makes the directory; throws when it cannot be had. */
  constructor(directory: string) {
    this.directory = resolve(directory);
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
  }

  keys(): string[] {
    const names = readdirSync(this.directory).filter((name) => name.endsWith(EXTENSION));
    return names.map((name) => name.slice(0, -EXTENSION.length)).toSorted();
  }

  read(key: string): string | undefined {
    return readIfThere(this.#path(key))?.toString('utf8');
  }

  write(key: string, jwt: string): void {
    replaceFile(this.#path(key), jwt);
    this.#sync();
  }

  remove(key: string): void {
    rmSync(this.#path(key), { force: true });
    this.#sync();
  }

  setAside(key: string): void {
    try {
      renameSync(this.#path(key), `${this.#path(key)}.deleted`);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    this.#sync();
  }

  #path(key: string): string {
    return join(this.directory, key + EXTENSION);
  }

  #sync(): void {
    const directory = openSync(this.directory, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }
}
