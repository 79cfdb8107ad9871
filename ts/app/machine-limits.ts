// How much memory and disk JetStream may use where the options leave it open: three quarters of what the machine has.

import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { JetStreamOptions } from '../core/config/options.ts';

const SHARE = 0.75;
const UNKNOWN_DISK = 2 ** 40;

/** The nearest directory above that exists. */
function existing(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existing(dirname(path));
}

async function freeDisk(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(existing(path));
    return Math.floor(bavail * bsize * SHARE);
  } catch {
    return UNKNOWN_DISK;
  }
}

export interface MachineLimits {
  readonly maxMemory: number;
  readonly maxFile: number;
}

export async function machineLimits(options: JetStreamOptions, root: string): Promise<MachineLimits> {
  return {
    maxMemory: options.maxMemory ?? Math.floor(totalmem() * SHARE),
    maxFile: options.maxFile ?? (await freeDisk(root)),
  };
}
