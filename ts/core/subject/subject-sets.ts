// How the subjects of one list relate to each other: filters of a consumer must not cover each other, subjects of a stream must not overlap. A
// request may bring tens of thousands, so they are put into a tree of their tokens, where a subject is looked up in the time of its own tokens
// instead of being compared with every other one.

import { SubjectOwners } from './subject-owners.ts';
import { tokens } from './subject.ts';

/** What follows behind the same first tokens. */
interface Branch {
  readonly next: Map<string, Branch>;
  /** A subject ends here. */
  ends: boolean;
}

function newBranch(): Branch {
  return { next: new Map(), ends: false };
}

function plant(root: Branch, parts: readonly string[]): void {
  let branch = root;
  for (const token of parts) {
    let next = branch.next.get(token);
    if (next === undefined) branch.next.set(token, (next = newBranch()));
    branch = next;
  }
  branch.ends = true;
}

/** A subject of the branch other than `parts` itself matches all that `parts` matches; `same`: the tokens so far are its own. */
function covers(branch: Branch, parts: readonly string[], at: number, same: boolean): boolean {
  const token = parts[at];
  if (token === undefined) return branch.ends && !same;
  if (token === '>') return branch.next.has('>') && !same;
  if (branch.next.has('>')) return true;
  const star = branch.next.get('*');
  if (star !== undefined && covers(star, parts, at + 1, same && token === '*')) return true;
  const next = token === '*' ? undefined : branch.next.get(token);
  return next !== undefined && covers(next, parts, at + 1, same);
}

/** The place of the first subject that overlaps a later one; -1: none does. */
export function firstOverlap(subjects: readonly string[]): number {
  if (subjects.length < 2) return -1;
  const later = new SubjectOwners();
  let found = -1;
  for (let index = subjects.length - 1; index >= 0; index--) {
    const parts = tokens(subjects[index] ?? '');
    if (later.overlaps(parts, '')) found = index;
    later.add('later', parts);
  }
  return found;
}

/** Whether one of the subjects is there twice, or matches nothing that another does not match. */
export function hasCovered(subjects: readonly string[]): boolean {
  if (new Set(subjects).size < subjects.length) return true;
  const root = newBranch();
  const all = subjects.map(tokens);
  for (const parts of all) plant(root, parts);
  return all.some((parts) => covers(root, parts, 0, true));
}
