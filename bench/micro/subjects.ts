/**
 * Subjects for the matcher's benchmarks: three to five tokens from vocabularies of different sizes, no two the same, the
 * same ones every time.
 */

/** A small generator of numbers, so that two runs measure the same subjects (mulberry32). */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const areas = [
  'orders',
  'eu',
  'telemetry',
  'svc',
  'users',
  'audit',
  'billing',
  'devices',
  'stock',
  'chat',
  'geo',
  'ads',
  'iot',
  'us',
  'ap',
  'logs',
];
const sizes = [areas.length, 256, 4096, 64, 64];

function token(level: number, number: number): string {
  if (level === 0) return areas[number] ?? '';
  return `${'_bcdfg'.charAt(level)}${(number * 2654435761).toString(36).slice(0, 3)}${number.toString(36)}`;
}

/** `count` different literal subjects. */
export function literals(count: number, seed: number): string[] {
  const below = numbers(seed);
  const seen = new Set<string>();
  while (seen.size < count) {
    const depth = 3 + below(3);
    seen.add(
      sizes
        .slice(0, depth)
        .map((size, level) => token(level, below(size)))
        .join('.'),
    );
  }
  return [...seen];
}

/** The subject with one token turned into a wildcard. */
export function widened(subject: string, below: (limit: number) => number): string {
  const tokens = subject.split('.');
  const at = 1 + below(tokens.length - 1);
  if (below(3) === 0) return [...tokens.slice(0, Math.max(2, at)), '>'].join('.');
  return tokens.map((one, index) => (index === at ? '*' : one)).join('.');
}

/** What is subscribed to: `count` different subjects, one in `wildcardsOneIn` with a wildcard (0: none). */
export function subscriptions(count: number, wildcardsOneIn: number, seed: number): string[] {
  const below = numbers(seed + 1);
  const seen = new Set<string>();
  for (const [index, subject] of literals(Math.ceil(count * 1.2), seed).entries()) {
    seen.add(wildcardsOneIn > 0 && index % wildcardsOneIn === 0 ? widened(subject, below) : subject);
    if (seen.size === count) break;
  }
  return [...seen];
}

export function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const below = numbers(seed);
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = below(i + 1);
    [result[i], result[j]] = [result[j] as Item, result[i] as Item];
  }
  return result;
}
