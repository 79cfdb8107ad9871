// Who owns which subjects: a tree of tokens in which a set of subjects finds those it overlaps with, whether either side has wildcards, by
// following only what may match. An account's streams own the subjects they listen on.
// Subjects are given as their tokens.
// Kept true: every subject that was added and not removed is in the tree once for each of its owners; branches without owners are gone.

class Branch {
  /** By token, wildcards included. */
  readonly below = new Map<string, Branch>();
  /** Whose subject ends here. */
  readonly owners: string[] = [];
}

export class SubjectOwners {
  readonly #root = new Branch();

  add(owner: string, subject: readonly string[]): void {
    let branch = this.#root;
    for (const token of subject) {
      let next = branch.below.get(token);
      if (next === undefined) branch.below.set(token, (next = new Branch()));
      branch = next;
    }
    branch.owners.push(owner);
  }

  remove(owner: string, subject: readonly string[]): void {
    const path = [this.#root];
    for (const token of subject) {
      const next = path.at(-1)?.below.get(token);
      if (next === undefined) return;
      path.push(next);
    }
    const owners = path.at(-1)?.owners ?? [];
    const at = owners.indexOf(owner);
    if (at >= 0) owners.splice(at, 1);
    for (let depth = subject.length; depth > 0; depth--) {
      const branch = path[depth];
      if (branch === undefined || branch.owners.length > 0 || branch.below.size > 0) return;
      path[depth - 1]?.below.delete(subject[depth - 1] ?? '');
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
  const rest = branch.below.get('>');
  if (rest !== undefined && isOthers(rest, except)) return true;
  const next = token === '*' ? branch.below.values() : [branch.below.get(token), branch.below.get('*')];
  for (const one of next) if (one !== undefined && one !== rest && overlaps(one, parts, at + 1, except)) return true;
  return false;
}

/** Whether others own a subject below. */
function holdsOthers({ below }: Branch, except: string): boolean {
  for (const branch of below.values()) if (isOthers(branch, except) || holdsOthers(branch, except)) return true;
  return false;
}
