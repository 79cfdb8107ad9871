// What one reading of a configuration has found besides the options: mistakes, warnings and keys whose feature is not built yet.
// Reading goes on after a mistake, so that all of them are shown at once.
// Kept true: nothing here throws; whoever holds the Reader decides what its problems mean.

import type { Position, Problem } from './config-error.ts';
import type { ConfigValue, Entry } from './config-value.ts';
import type { OperatorClaims } from '../jwt/operator-claims.ts';
import type { TlsOptions } from './options-network.ts';

const KIND_NAMES: Readonly<Record<ConfigValue['kind'], string>> = {
  bool: 'the boolean',
  integer: 'the integer',
  float: 'the number',
  string: 'the string',
  datetime: 'the time',
  array: 'a list',
  map: 'a map',
};

/** Longer keys, and those after so many mistakes, get no suggestion: comparing them would take too long. */
const MAX_SUGGESTED_LENGTH = 64;
const MAX_SUGGESTIONS = 100;

/** A value as a message shows it. */
function describe(value: ConfigValue): string {
  const kind = KIND_NAMES[value.kind];
  switch (value.kind) {
    case 'array':
    case 'map':
      return kind;
    case 'integer':
      return `${kind} ${value.exact}`;
    case 'bool':
    case 'float':
    case 'datetime':
      return `${kind} ${value.value}`;
    case 'string':
      return `${kind} ${JSON.stringify(value.value)}`;
  }
}

/** Insertions, deletions, changes and swaps of neighbours that make `from` into `to`. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length] ?? 0;
}

/** The known word nearest to an unknown one, if any is near enough to be what was meant. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > MAX_SUGGESTED_LENGTH) return undefined;
  const lower = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(lower.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Checks that need files, made by whoever may read them; each answers what is wrong. */
export interface FileChecks {
  checkTls?(tls: TlsOptions): string | undefined;
  /** The claims of an operator's JWT, or of the file that holds one. Throws what is wrong. */
  readOperator?(written: string): OperatorClaims;
}

export class Reader {
  readonly checks: FileChecks;
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly pending = new Set<string>();

  constructor(checks: FileChecks = {}) {
    this.checks = checks;
  }

  report(at: Position | undefined, text: string): undefined {
    this.problems.push(at === undefined ? { text } : { at, text });
    return undefined;
  }

  warn(at: Position, text: string): void {
    this.warnings.push({ at, text });
  }

  /** A value of the wrong kind. */
  wrongType(value: ConfigValue, key: string, wanted: string): undefined {
    return this.report(value.at, `expected ${wanted} for "${key}", not ${describe(value)}`);
  }

  unknownField(entry: Entry, known: Iterable<string>): void {
    const meant = this.problems.length < MAX_SUGGESTIONS ? nearest(entry.key, known) : undefined;
    const hint = meant === undefined ? '' : `, did you mean "${meant}"?`;
    this.report(entry.value.at, `unknown field "${entry.key}"${hint}`);
  }

  /** Notes a key whose feature is not built yet. */
  pend(path: string): void {
    this.pending.add(path);
  }
}
