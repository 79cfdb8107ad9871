// How an import changes a subject: a transform that uses every wildcard of its source and nothing but wildcards, so that it can be
// turned around. It is compiled to pieces, which the kernel puts together for each message (wasm/match/mapping.ts) and this file for
// a subscription's subject.
// Kept true: dots stand in the literals; two literals never follow each other.

import { tokens } from './subject.ts';
import { compileReversible } from './transform.ts';

/** A literal, or a token of the subject, from 1; with `rest` everything behind it too. */
export type MappingPiece = string | { readonly token: number; readonly rest: boolean };

export interface ImportMapping {
  readonly source: string;
  /** The destination with its placeholders as stars: what a mapped subject looks like. */
  readonly pattern: string;
  readonly pieces: readonly MappingPiece[];
  /** The destination as it was given, its stars numbered. */
  readonly destination: string;
}

export type ImportMappingResult =
  { readonly ok: true; readonly mapping: ImportMapping } | { readonly ok: false; readonly problem: string };

const dollar = /^\$([1-9]\d*)$/;
const wildcardCall = /^\{\{\s*[wW]ildcard\s*\(\s*(\d+)\s*\)\s*\}\}$/;

/** Which wildcard a destination token stands for; undefined for a literal. */
function placeholder(token: string): number | undefined {
  const match = dollar.exec(token) ?? wildcardCall.exec(token);
  return match === null ? undefined : Number(match[1]);
}

/** `a.*.*` as `a.$1.$2`. */
export function numberStars(subject: string): string {
  let last = 0;
  return tokens(subject)
    .map((token) => (token === '*' ? `$${++last}` : token))
    .join('.');
}

/** `a.$2.$1` as `a.*.*`. */
export function starPlaceholders(subject: string): string {
  return tokens(subject)
    .map((token) => (placeholder(token) === undefined ? token : '*'))
    .join('.');
}

function problemOf(source: string, destination: string): string | undefined {
  const compiled = compileReversible(source, destination);
  if (!compiled.ok) return compiled.problem;
  const parts = tokens(destination);
  const wildcards = tokens(source).filter((token) => token === '*').length;
  const used = parts.filter((token) => placeholder(token) !== undefined).length;
  if (used < wildcards) return `invalid mapping destination: not using all of the token wildcard(s) in ${destination}`;
  return undefined;
}

function piecesOf(source: readonly string[], destination: readonly string[]): MappingPiece[] {
  const stars = source.flatMap((token, at) => (token === '*' ? [at + 1] : []));
  const pieces: MappingPiece[] = [];
  let literal = '';
  destination.forEach((token, at) => {
    if (at > 0) literal += '.';
    const wildcard = placeholder(token);
    const rest = token === '>';
    if (wildcard === undefined && !rest) {
      literal += token;
      return;
    }
    if (literal !== '') pieces.push(literal);
    literal = '';
    pieces.push({ token: rest ? source.length : (stars[(wildcard ?? 1) - 1] ?? 1), rest });
  });
  return literal === '' ? pieces : [...pieces, literal];
}

/** `destination` may have stars, which stand for the source's in their order. */
export function compileImportMapping(source: string, destination: string): ImportMappingResult {
  const numbered = numberStars(destination);
  const problem = problemOf(source, numbered);
  if (problem !== undefined) return { ok: false, problem };
  const pieces = piecesOf(tokens(source), tokens(numbered));
  return { ok: true, mapping: { source, pattern: starPlaceholders(numbered), pieces, destination: numbered } };
}

/**
 * The mapping from what this one makes back to what it was made of. As in nats-server the placeholders are taken in the order in which
 * they stand, which is the inverse unless three or more wildcards change places in a circle.
 */
export function reverseMapping({ source, pattern, destination }: ImportMapping): ImportMapping {
  const left = tokens(destination).filter((token) => placeholder(token) !== undefined);
  const back = tokens(source)
    .map((token) => (token === '*' ? (left.shift() ?? token) : token))
    .join('.');
  return { source: pattern, pattern: source, pieces: piecesOf(tokens(pattern), tokens(back)), destination: back };
}

/** What the pieces make of a subject, which may have wildcards of its own. */
export function applyPieces(pieces: readonly MappingPiece[], subject: string): string {
  const parts = tokens(subject);
  return pieces
    .map((piece) => {
      if (typeof piece === 'string') return piece;
      return piece.rest ? parts.slice(piece.token - 1).join('.') : (parts[piece.token - 1] ?? '');
    })
    .join('');
}
