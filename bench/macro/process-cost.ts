/**
 * What a process cost so far, read from /proc: CPU time of all its threads, and resident memory. Linux only; elsewhere the numbers are NaN
 * and the table says so.
 */
import { readFileSync } from 'node:fs';

/** Clock ticks a second, which Linux fixes for /proc at 100 on every platform Node runs on. */
const ticksPerSecond = 100;

/** User plus system CPU seconds of a process since it started. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
}

/** Resident memory in KiB: private pages and all that it shares. */
export function residentKiB(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return Number.NaN;
  }
}
