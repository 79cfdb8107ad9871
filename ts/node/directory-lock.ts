// Keeps a second server off a store directory: two writers would write over each other's records. nats-server keeps no lock and looks at none,
// so this guards against our own kind only.
//
// The lock is a file `slipstream-<n>.lock` that names its holder by process id and start time, so that what a killed server leaves blocks
// nobody, also when its process id is in use again. A new holder takes the next number: the file appears whole (a link of a finished one)
// and for one taker only, and nobody ever removes a file that may belong to somebody alive.

import fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, as the system counts; empty where it does not say. */
  readonly started: string;
}

const LOCK_NAME = /^slipstream-([0-9]+)\.lock$/;
/** The word of /proc/<pid>/stat, behind the program's name, that says when the process started. */
const START_WORD = 19;

/** When a process started; undefined: there is none, or it has ended. Where the system has no /proc, '' for one that is there. */
function startOf(pid: number): string | undefined {
  if (fs.existsSync('/proc/self/stat')) {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
      const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return words[0] === 'Z' ? undefined : words[START_WORD];
    } catch {
      return undefined;
    }
  }
  try {
    process.kill(pid, 0);
    return '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? '' : undefined;
  }
}

function isAlive({ pid, host, started }: Holder): boolean {
  return host === hostname() && startOf(pid) === started;
}

/** The numbers of the locks in a directory. */
function numbersIn(directory: string): number[] {
  return fs.readdirSync(directory).flatMap((name) => {
    const number = LOCK_NAME.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** Somebody alive has the directory. */
export class DirectoryBusy extends Error {}

export class DirectoryLock {
  readonly #directory: string;
  readonly #number: number;

  private constructor(directory: string, number: number) {
    this.#directory = directory;
    this.#number = number;
  }

  static #path(directory: string, number: number): string {
    return join(directory, `slipstream-${number}.lock`);
  }

  static #holder(directory: string, number: number): Holder | undefined {
    try {
      return JSON.parse(fs.readFileSync(DirectoryLock.#path(directory, number), 'utf8')) as Holder;
    } catch {
      return undefined;
    }
  }

  /** Takes the directory, or throws a `DirectoryBusy` that names who has it. */
  static take(directory: string): DirectoryLock {
    const mine: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) ?? '' };
    const draft = join(directory, `slipstream-${process.pid}.lock.tmp`);
    fs.writeFileSync(draft, `${JSON.stringify(mine)}\n`, { mode: 0o600 });
    try {
      const number = DirectoryLock.#claim(directory, draft);
      const lock = new DirectoryLock(directory, number);
      try {
        lock.#checkOthers();
      } catch (error) {
        lock.release();
        throw error;
      }
      return lock;
    } finally {
      fs.rmSync(draft, { force: true });
    }
  }

  /** Links the draft to the next free number. */
  static #claim(directory: string, draft: string): number {
    for (;;) {
      const number = Math.max(0, ...numbersIn(directory)) + 1;
      try {
        fs.linkSync(draft, DirectoryLock.#path(directory, number));
        return number;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  /** Everybody looks after claiming: of two at the same time at least one sees the other. Locks of the dead go. */
  #checkOthers(): void {
    const dead: number[] = [];
    for (const number of numbersIn(this.#directory)) {
      if (number === this.#number) continue;
      const holder = DirectoryLock.#holder(this.#directory, number);
      if (holder !== undefined && isAlive(holder)) {
        const who = holder.pid === process.pid ? 'another server of this process' : `a server with process id ${holder.pid}`;
        throw new DirectoryBusy(`${this.#directory} is in use by ${who}`);
      }
      dead.push(number);
    }
    for (const number of dead) fs.rmSync(DirectoryLock.#path(this.#directory, number), { force: true });
  }

  release(): void {
    fs.rmSync(DirectoryLock.#path(this.#directory, this.#number), { force: true });
  }
}
