/** A disk that dies: after so many changes every further one fails, as if the power had gone at that moment. */
import { DiskFault } from '../../ts/ports/disk.ts';
import type { Disk } from '../../ts/ports/disk.ts';
import { changing } from './disk-operations.ts';

const changes = new Set<string | symbol>(changing);

export interface Dying {
  readonly disk: Disk;
  /** Changes that were let through. */
  readonly made: () => number;
  readonly isDead: () => boolean;
}

export function dyingDisk(disk: Disk, after: number): Dying {
  let made = 0;
  let dead = false;
  const proxy = new Proxy(disk, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      // It is done apart from everything else: whoever asks hears nothing of it.
      if (name === 'discardTree' && (dead ||= made >= after)) return () => {};
      if (!changes.has(name)) return value.bind(target) as unknown;
      return (...args: unknown[]): unknown => {
        dead ||= made >= after;
        if (dead) throw new DiskFault('EIO', String(args[0]), `the power is off: ${String(name)}`);
        made++;
        return (value as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { disk: proxy, made: () => made, isDead: () => dead };
}
