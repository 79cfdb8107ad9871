// Which subjects of other accounts a subscription has its shadows on: for each imported stream that has subjects in common with the
// subscription, the part of the exported subject that it wants.
// Kept true: a shadow takes no message that its subscription would not, when the import does not widen it itself.

import { applyPieces } from '../subject/import-mapping.ts';
import { isSubset, tokens } from '../subject/subject.ts';
import type { StreamImport } from './imports.ts';

export interface ShadowSubject {
  readonly import: StreamImport;
  /** In the exporting account. */
  readonly subject: string;
}

/** What a subject with wildcards and an import have in common, where neither holds the other; undefined: nothing. */
function overlap(wanted: readonly string[], local: readonly string[]): string | undefined {
  const common = wanted.map((token, at) => {
    const theirs = local[at];
    if (theirs === undefined) return token;
    return (token === '*' && theirs !== '>') || token === '>' ? theirs : token;
  });
  if (wanted.at(-1) === '>' && local.length > wanted.length) common.push(...local.slice(wanted.length));
  return isSubset(common, local) ? common.join('.') : undefined;
}

/** The subject in the exporting account of one that is wanted here. */
function exported({ mapping, back, from }: StreamImport, wanted: string): string {
  if (mapping === undefined) return wanted;
  return back === undefined ? from : applyPieces(back.pieces, wanted);
}

function subjectOf(subject: string, parts: readonly string[], one: StreamImport): string | undefined {
  if (subject === one.local) return one.from;
  const local = tokens(one.local);
  if (isSubset(parts, local)) return exported(one, subject);
  if (isSubset(local, parts)) return one.from;
  const common = parts.includes('*') || parts.at(-1) === '>' ? overlap(parts, local) : undefined;
  return common === undefined ? undefined : exported(one, common);
}

export function shadowSubjects(subject: string, imports: readonly StreamImport[]): ShadowSubject[] {
  const parts = tokens(subject);
  return imports.flatMap((one) => {
    const wanted = subjectOf(subject, parts, one);
    return wanted === undefined ? [] : [{ import: one, subject: wanted }];
  });
}
