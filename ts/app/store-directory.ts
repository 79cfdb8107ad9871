// Where JetStream stores: the configured directory, or a temporary one, made and locked for this server.
// Kept true: a configured directory is this one or none. A temporary one that another server has is passed over for the next, so that servers
// started side by side without a directory do not meet in one.

import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryBusy, DirectoryLock } from '../node/directory-lock.ts';
import type { Log } from '../ports/log.ts';

export interface StoreDirectory {
  readonly path: string;
  readonly lock: DirectoryLock;
}

/** `configured` is the parent, '' for none. Throws one clear line. */
export function takeStoreDirectory(configured: string, log: Log): StoreDirectory {
  if (configured !== '') return taken(join(configured, 'jetstream'));
  log.warn('Temporary storage directory used, data could be lost on system reboot');
  for (let number = 1; ; number += 1) {
    const path = join(tmpdir(), 'nats', number === 1 ? 'jetstream' : `jetstream-${number}`);
    try {
      return taken(path);
    } catch (error) {
      if (!(error instanceof Error && error.cause instanceof DirectoryBusy)) throw error;
      log.warn(`${error.cause.message}: another temporary directory is used`);
    }
  }
}

function taken(path: string): StoreDirectory {
  make(path);
  try {
    return { path, lock: DirectoryLock.take(path) };
  } catch (error) {
    const { message } = error as Error;
    const advice = error instanceof DirectoryBusy ? '; two servers must not write to one store directory' : '';
    throw new Error(`Can't start JetStream: ${message}${advice}`, { cause: error });
  }
}

function make(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = code === 'ENOTDIR' || code === 'EEXIST' ? 'storage directory is not a directory' : message;
    throw new Error(`Can't start JetStream: ${problem}: ${path}`, { cause: error });
  }
}
