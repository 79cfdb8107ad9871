/**
 * Subject matching by looking at every subscription in turn: the twin of wasm/match.
 *
 * A subscription's subject may hold `*` (one token) and a last `>` (one or more tokens); they mean that only as whole
 * tokens. A published subject is taken as it is: a `*` in it is a token that only `*` or `>` covers. A published
 * subject with an empty token matches nothing.
 */

export interface Entry<Value> {
  readonly subject: string;
  readonly queue: string | null;
  readonly value: Value;
}

export interface Matches<Value> {
  readonly plain: readonly Value[];
  /** Members of a queue group by its name, whatever pattern each of them subscribed with. */
  readonly groups: ReadonlyMap<string, readonly Value[]>;
}

/** No empty token, and nothing behind `>`. */
export function isSubscribable(subject: string): boolean {
  const tokens = subject.split('.');
  return tokens.every((token, index) => token !== '' && (token !== '>' || index === tokens.length - 1));
}

/** A subject a pedantic connection may publish to: no empty token and no wildcard token. */
export function isLiteral(subject: string): boolean {
  return subject.split('.').every((token) => token !== '' && token !== '*' && token !== '>');
}

export function hasWildcard(subject: string): boolean {
  return subject.split('.').some((token) => token === '*' || token === '>');
}

export function covers(pattern: string, subject: string): boolean {
  const tokens = subject.split('.');
  if (tokens.includes('')) return false;
  const wanted = pattern.split('.');
  for (const [index, token] of wanted.entries()) {
    if (index >= tokens.length) return false;
    if (token === '>') return true;
    if (token === '*') continue;
    if (tokens[index] !== token) return false;
  }
  return tokens.length === wanted.length;
}

/** True when some subject is covered by both patterns. */
export function overlaps(one: string, other: string): boolean {
  const left = one.split('.');
  const right = other.split('.');
  for (let index = 0; ; index++) {
    const a = left[index];
    const b = right[index];
    if (a === undefined || b === undefined) return a === b;
    if (a === '>' || b === '>') return true;
    if (a !== '*' && b !== '*' && a !== b) return false;
  }
}

export class Matcher<Value> {
  private readonly entries = new Set<Entry<Value>>();

  get size(): number {
    return this.entries.size;
  }

  insert(entry: Entry<Value>): boolean {
    if (!isSubscribable(entry.subject)) return false;
    this.entries.add(entry);
    return true;
  }

  remove(entry: Entry<Value>): boolean {
    return this.entries.delete(entry);
  }

  match(subject: string): Matches<Value> {
    const plain: Value[] = [];
    const groups = new Map<string, Value[]>();
    for (const entry of this.entries) {
      if (!covers(entry.subject, subject)) continue;
      if (entry.queue === null) {
        plain.push(entry.value);
        continue;
      }
      const members = groups.get(entry.queue) ?? [];
      members.push(entry.value);
      groups.set(entry.queue, members);
    }
    return { plain, groups };
  }
}
