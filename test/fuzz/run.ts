/**
 * `npm run fuzz -- [--seconds N] [--seed S] [names…]`: the properties of the test suite for as long as asked, with inputs
 * that the suite has no time for. Prints the seed it runs with; on a failure the smallest input found, and exits 1.
 */
import { agrees, ours, oursGuarded } from '../oracle/agreement.ts';
import type { Effort } from '../oracle/check.ts';
import { asking, guarded, guardedConfig, hostile, polite, unannounced } from '../oracle/conversations.ts';
import { MemoryServer } from '../oracle/memory-server.ts';
import { matcherAgrees } from './matcher.ts';
import { noise, survives } from './noise.ts';

interface Target {
  readonly name: string;
  readonly run: (effort: Effort) => number;
}

const targets: readonly Target[] = [
  { name: 'polite', run: (effort) => agrees(new MemoryServer(), ours, polite, effort) },
  { name: 'unannounced', run: (effort) => agrees(new MemoryServer(), ours, unannounced, effort) },
  { name: 'hostile', run: (effort) => agrees(new MemoryServer(), ours, hostile, effort) },
  { name: 'high', run: (effort) => agrees(new MemoryServer({ arenaPage: 33_000 }), ours, hostile, effort) },
  { name: 'guarded', run: (effort) => agrees(new MemoryServer({ config: guardedConfig }), oursGuarded, guarded, effort) },
  { name: 'asking', run: (effort) => agrees(new MemoryServer({ config: guardedConfig }), oursGuarded, asking, effort) },
  { name: 'noise', run: (effort) => survives(new MemoryServer(), noise, effort) },
  { name: 'matcher', run: matcherAgrees },
];

interface Request {
  seconds: number;
  seed: number;
  readonly names: string[];
}

function requested(words: readonly string[]): Request {
  const request: Request = { seconds: 60, seed: Date.now() >>> 0, names: [] };
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--seconds') request.seconds = Number(words[++i]);
    else if (word === '--seed') request.seed = Number(words[++i]);
    else request.names.push(word);
  }
  if (!Number.isFinite(request.seconds) || !Number.isFinite(request.seed)) throw new Error('--seconds and --seed take numbers');
  return request;
}

function fuzz({ seconds, seed, names }: Request): boolean {
  const chosen = targets.filter(({ name }) => names.length === 0 || names.includes(name));
  if (chosen.length === 0) throw new Error(`no such target; there are: ${targets.map(({ name }) => name).join(', ')}`);
  console.log(`fuzz: seed ${seed}, ${seconds} s over ${chosen.map(({ name }) => name).join(', ')}`);
  const end = Date.now() + seconds * 1000;
  const tried = new Map<string, number>();
  // Short rounds with seeds of their own, so that every target gets its turn however long the whole runs.
  const share = Math.max(0.2, Math.min(10, seconds / chosen.length));
  for (let round = 0; Date.now() < end; round++) {
    for (const { name, run } of chosen) {
      const left = (end - Date.now()) / 1000;
      if (left <= 0) break;
      try {
        const runs = run({ runs: Number.MAX_SAFE_INTEGER, seed: (seed + round) | 0, seconds: Math.min(share, left) });
        tried.set(name, (tried.get(name) ?? 0) + runs);
      } catch (error) {
        console.error(
          `fuzz: ${name} failed with --seed ${seed + round}\n${error instanceof Error ? error.message : String(error)}`,
        );
        return false;
      }
    }
  }
  for (const [name, runs] of tried) console.log(`  ${name.padEnd(12)} ${runs} conversations`);
  return true;
}

process.exitCode = fuzz(requested(process.argv.slice(2))) ? 0 : 1;
