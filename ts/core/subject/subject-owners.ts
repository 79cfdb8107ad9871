// Who owns which subjects: a tree of tokens in which a set of subjects finds those it overlaps with, whether either side has wildcards, by
// following only what may match. An account's streams own the subjects they listen on.
// Subjects are given as their tokens.
// Kept true: every subject that was added and not removed is in the tree once for each of its owners; branches without owners are gone.

class Branch {
  /** By token, wildcards included; undefined: none. Most subjects end where no other goes on. */
  #below: Map<string, Branch> | undefined;
  /** Whose subject ends here. */
  readonly owners: string[] = [];

  get isEmpty(): boolean {
    return this.owners.length === 0 && (this.#below === undefined || this.#below.size === 0);
  }

  at(token: string): Branch | undefined {
    return this.#below?.get(token);
  }

  /** The branch of a token, which is made if there is none. */
  grown(token: string): Branch {
    this.#below ??= new Map<string, Branch>();
    let next = this.#below.get(token);
    if (next === undefined) this.#below.set(token, (next = new Branch()));
    return next;
  }

  cut(token: string): void {
    this.#below?.delete(token);
  }

  all(): Iterable<Branch> {
    return this.#below?.values() ?? [];
  }
}

export class SubjectOwners {
  readonly #root = new Branch();

  add(owner: string, subject: readonly string[]): void {
    let branch = this.#root;
    for (let at = 0; at < subject.length; at++) branch = branch.grown(subject[at] ?? '');
    branch.owners.push(owner);
  }

  remove(owner: string, subject: readonly string[]): void {
    const path = [this.#root];
    for (const token of subject) {
      const next = path.at(-1)?.at(token);
      if (next === undefined) return;
      path.push(next);
    }
    const owners = path.at(-1)?.owners ?? [];
    const at = owners.indexOf(owner);
    if (at >= 0) owners.splice(at, 1);
    for (let depth = subject.length; depth > 0; depth--) {
      const branch = path[depth];
      if (branch?.isEmpty !== true) return;
      path[depth - 1]?.cut(subject[depth - 1] ?? '');
    }
  }

  /** Whether anybody but `except` owns a subject that overlaps with this one. */
  overlaps(subject: readonly string[], except: string): boolean {
    return overlaps(this.#root, subject, 0, except);
  }
}

function isOthers({ owners }: Branch, except: string): boolean {
  return owners.some((owner) => owner !== except);
}

function overlaps(branch: Branch, parts: readonly string[], at: number, except: string): boolean {
  const token = parts[at];
  if (token === undefined) return isOthers(branch, except);
  if (token === '>') return holdsOthers(branch, except);
  const rest = branch.at('>');
  if (rest !== undefined && isOthers(rest, except)) return true;
  const goesOn = (one: Branch | undefined): boolean => one !== undefined && one !== rest && overlaps(one, parts, at + 1, except);
  if (token !== '*') return goesOn(branch.at(token)) || goesOn(branch.at('*'));
  for (const one of branch.all()) if (goesOn(one)) return true;
  return false;
}

/** Whether others own a subject below. */
function holdsOthers(branch: Branch, except: string): boolean {
  for (const below of branch.all()) if (isOthers(below, except) || holdsOthers(below, except)) return true;
  return false;
}
