/** A disk whose operations fail where the test says so: the n-th of them, or all since the process that uses it was killed. */
import { DiskFault } from '../../ts/ports/disk.ts';
import type { Disk, OpenFile, SyncFailure } from '../../ts/ports/disk.ts';
import { changing } from './disk-operations.ts';

const fallible = new Set<string | symbol>([...changing, 'list', 'readWhole', 'open', 'openDirectory', 'size', 'read']);

type Done = (failures: readonly SyncFailure[]) => void;

export interface Failing {
  readonly disk: Disk;
  /** Operations so far. */
  readonly count: () => number;
}

/** `fails` is asked before each operation, with its number. */
export function failingDisk(disk: Disk, fails: (operation: number, name: string) => boolean): Failing {
  let count = 0;
  const fault = (path: string, name: string): DiskFault => new DiskFault('EIO', path, `${path}: ${name} fails`);
  const sync = (files: readonly OpenFile[], done: Done): void => {
    if (!fails(count++, 'sync')) return disk.sync(files, done);
    setImmediate(() => done(files.map((file) => ({ file, fault: fault(file.path, 'sync') }))));
  };
  const proxy = new Proxy(disk, {
    get(target, name) {
      if (name === 'sync') return sync;
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (!fallible.has(name)) return value.bind(target) as unknown;
      return (...args: unknown[]): unknown => {
        const [on] = args;
        if (fails(count++, String(name))) throw fault(typeof on === 'string' ? on : (on as OpenFile).path, String(name));
        return (value as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { disk: proxy, count: () => count };
}
