/**
 * Measuring small things: repeat until enough time has passed, take the best of several rounds, print a table.
 *
 * The best round is the one least disturbed by whatever else the machine does, which is what a figure for one function
 * should be.
 */

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What nats-server needs for the same, where it is known. */
  readonly reference?: string;
}

/** Nanoseconds of processor time one operation takes: `run(n)` does n of them. */
export function nanosEach(run: (operations: number) => void, operations: number, rounds: number): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage();
    run(operations);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, ((user + system) * 1000) / operations);
  }
  return best;
}

export function printed(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

export function table(title: string, figures: readonly Figure[]): string {
  const name = Math.max(...figures.map((figure) => figure.name.length));
  const lines = figures.map((figure) => {
    const value = printed(figure.value).padStart(9);
    return `  ${figure.name.padEnd(name)}  ${value} ${figure.unit.padEnd(8)}${figure.reference === undefined ? '' : `  (${figure.reference})`}`;
  });
  return [title, ...lines.map((line) => line.trimEnd())].join('\n');
}
