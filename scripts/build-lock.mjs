// One build at a time in one work tree: a folder build/lock with the pid of its owner inside. A lock whose owner is gone is taken over.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './root.mjs';

const folder = join(root, 'build/lock');
const ownerFile = join(folder, 'pid');
const patienceMs = 300_000;

/** True while the process that wrote the lock lives; a lock just being written counts as alive. */
function ownerAlive() {
  try {
    process.kill(Number(readFileSync(ownerFile, 'utf8')), 0);
    return true;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    return code === 'EPERM';
  }
}

function tryTake() {
  try {
    mkdirSync(folder);
  } catch {
    return false;
  }
  writeFileSync(ownerFile, String(process.pid));
  return true;
}

async function take() {
  mkdirSync(join(root, 'build'), { recursive: true });
  const since = Date.now();
  while (!tryTake()) {
    await delay(100);
    if (!ownerAlive()) {
      // Its owner may be between making the folder and writing its pid: look twice before taking over.
      await delay(200);
      if (!ownerAlive()) rmSync(folder, { recursive: true, force: true });
    }
    if (Date.now() - since > patienceMs) throw new Error(`build: another build has held ${folder} for five minutes`);
  }
}

/**
 * Runs one task while holding the lock.
 * @template T
 * @param {() => Promise<T>} task
 * @returns {Promise<T>}
 */
export async function withBuildLock(task) {
  await take();
  try {
    return await task();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
