/**
 * The matcher alone: subjects already in Wasm memory, one call a subject, as the parser makes it for each publish.
 *
 * "Uncached" matches each subject once, in another order than it was subscribed in, so that nothing is in a result cache
 * and little in the processor's. Half of the subjects asked for are subscribed to literally; the rest reach nobody or only wildcards.
 */
import { instantiate } from '../../ts/matcher/memory.ts';
import type { MatcherExports, MatcherInstance } from '../../ts/matcher/memory.ts';
import { nanosEach, table } from './measure.ts';
import type { Figure } from './measure.ts';
import { literals, shuffled, subscriptions } from './subjects.ts';

/** Subjects laid out in the module's memory: address and length in turn. */
interface Placed {
  readonly at: Uint32Array;
  readonly lengths: Uint32Array;
}

function place({ memory, exports }: MatcherInstance, subjects: readonly string[]): Placed {
  const bytes = subjects.map((subject) => Buffer.from(subject));
  const start = exports.reserve(bytes.reduce((sum, one) => sum + one.length, 64)) >>> 0;
  const view = new Uint8Array(memory.buffer);
  const at = new Uint32Array(subjects.length);
  const lengths = new Uint32Array(subjects.length);
  let next = start;
  for (const [index, one] of bytes.entries()) {
    view.set(one, next);
    at[index] = next;
    lengths[index] = one.length;
    next += one.length;
  }
  return { at, lengths };
}

function matchAll(exports: MatcherExports, { at, lengths }: Placed, from: number, count: number): number {
  let found = 0;
  for (let i = from; i < from + count; i++) found += exports.match(at[i] ?? 0, lengths[i] ?? 0);
  return found;
}

function addAll(exports: MatcherExports, { at, lengths }: Placed): void {
  for (let i = 0; i < at.length; i++) exports.add(i, at[i] ?? 0, lengths[i] ?? 0);
}

/** The questions are asked in this many parts; the best part counts, being the least disturbed one. */
const rounds = 25;

/** Figures for one number of subscriptions. */
function measure(count: number, wildcardsOneIn: number): Figure[] {
  const instance = instantiate(2 ** 32);
  const { exports } = instance;
  exports.seed(1, 2);
  const given = subscriptions(count, wildcardsOneIn, 7);
  const placed = place(instance, given);
  const asked = Math.min(1_000_000, Math.max(200_000, count));
  const hits = given.filter((subject) => !subject.includes('*') && !subject.includes('>')).slice(0, asked / 2);
  const questions = place(instance, shuffled([...hits, ...literals(asked - hits.length, 99)], 3));
  const before = exports.liveBytes();
  // Small indexes come and go a few times first, so that compiling and taking the first pages are not what is measured.
  for (let warm = Math.floor(200_000 / count); warm > 0; warm--) {
    addAll(exports, placed);
    for (let id = 0; id < count; id++) exports.remove(id);
  }
  const insert = nanosEach(() => addAll(exports, placed), count, 1);
  const memory = (exports.liveBytes() - before) / count;
  let found = 0;
  const part = Math.floor(asked / rounds);
  let round = 0;
  const uncached = nanosEach((operations) => (found += matchAll(exports, questions, part * round++, operations)), part, rounds);
  const cached = nanosEach(
    (operations) => {
      for (let i = 0; i < operations; i += 100) matchAll(exports, questions, 0, 100);
    },
    1_000_000,
    3,
  );
  const half = count >> 1;
  const removeInOrder = nanosEach(
    () => {
      for (let id = 0; id < half; id++) exports.remove(id);
    },
    half,
    1,
  );
  const order = shuffled([...placed.at.keys()].slice(half), 5);
  const remove = nanosEach(() => order.forEach((id) => exports.remove(id)), order.length, 1);
  const left = exports.liveBytes() - before;
  const shape = `${count / 1000} k, ${wildcardsOneIn === 0 ? 'literal' : `1/${wildcardsOneIn} wildcards`}`;
  return [
    { name: `${shape}: uncached match`, value: uncached, unit: 'ns', reference: 'nats-server 1225-1792 ns at 1 M' },
    { name: `${shape}: matches a second`, value: 1e9 / uncached, unit: '/s' },
    { name: `${shape}: cached match (100 subjects in turn)`, value: cached, unit: 'ns', reference: 'nats-server 12-16 ns' },
    { name: `${shape}: insert`, value: insert, unit: 'ns', reference: 'nats-server 350-420 ns' },
    { name: `${shape}: remove, oldest first`, value: removeInOrder, unit: 'ns' },
    { name: `${shape}: remove, at random`, value: remove, unit: 'ns' },
    { name: `${shape}: memory a subscription`, value: memory, unit: 'B' },
    { name: `${shape}: receivers a match`, value: found / (part * rounds), unit: '' },
    { name: `${shape}: left after removing all`, value: left, unit: 'B' },
  ];
}

export function matcherFigures(counts: readonly number[]): string {
  return counts
    .flatMap((count) => [table(`matcher, ${count} subscriptions`, [...measure(count, 0), ...measure(count, 10)])])
    .join('\n\n');
}
