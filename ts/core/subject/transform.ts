// Subject transforms: from a source pattern to a destination made of literals, `$n` and functions. Compiled once, then pure.
// Used by mappings, and by the streams' transforms, republish and sources.
// Kept true: a compiled transform maps every subject its source matches; what cannot be compiled is explained in nats-server's words.
import { isValidSubject, matchesLiteral, tokens } from './subject.ts';
import { functionNames, transformFunctions } from './transform-functions.ts';
import type { ArgumentKind, Matched, Piece, TransformFunction } from './transform-functions.ts';

export interface Transform {
  readonly source: string;
  readonly destination: string;
  matches(subject: readonly string[]): boolean;
  /** Only for a subject that matches. */
  apply(subject: string, random: (limit: number) => number): string;
}

export type TransformResult =
  { readonly ok: true; readonly transform: Transform } | { readonly ok: false; readonly problem: string };

/** Why a transform cannot be compiled; caught in this file. */
class Problem extends Error {}

const INT32_MAX = 2 ** 31 - 1;
const functionToken = /^\{\{\s*([^(\s]*)\s*\((.*)\)\s*\}\}$/;
const bareFunction = /^\{\{\s*([^(\s]*)\s*\}\}$/;
const dollarToken = /^\$(\d+)$/;

function parseInt32(text: string): number | undefined {
  const trimmed = text.trim();
  const value = Number(trimmed);
  return /^[+-]?\d+$/.test(trimmed) && Math.abs(value) <= INT32_MAX ? value : undefined;
}

function checkIndex(index: number, wildcards: number, token: string): void {
  if (wildcards === 0) throw new Problem(`wildcard index out of range in ${token}`);
  if (index > wildcards) throw new Problem(`wildcard index out of range in ${token}: [${index}]`);
}

function argumentKind(row: TransformFunction, at: number): ArgumentKind {
  return row.takes[Math.min(at, row.takes.length - 1)] ?? 'int';
}

function compileCall(row: TransformFunction, args: readonly string[], wildcards: number, token: string): Piece {
  const fewest = row.open === true ? row.takes.length - 1 : row.takes.length;
  if (args.length < fewest) throw new Problem(`not enough arguments passed to the function in ${token}`);
  if (args.length > row.takes.length && row.open !== true)
    throw new Problem(`too many arguments passed to the function in ${token}`);
  const numbers: number[] = [];
  let text = '';
  args.forEach((arg, at) => {
    const kind = argumentKind(row, at);
    if (kind === 'text') {
      text = arg.trim();
      return;
    }
    const value = parseInt32(arg);
    if (value === undefined || (kind === 'index' && value < 0)) {
      throw new Problem(`function argument is invalid or in the wrong format in ${token}`);
    }
    if (kind === 'index') checkIndex(value, wildcards, token);
    numbers.push(value);
  });
  if (/[ .]/.test(text)) throw new Problem(`function argument is invalid or in the wrong format in ${token}`);
  return row.compile(numbers, text);
}

/** The piece a destination token makes; undefined for a literal. */
function compileToken(token: string, wildcards: number): Piece | undefined {
  const dollar = dollarToken.exec(token);
  if (dollar !== null) {
    const index = Number(dollar[1]);
    checkIndex(index, wildcards, token);
    return (matched) => matched.wildcard(index);
  }
  const call = functionToken.exec(token) ?? bareFunction.exec(token);
  if (call === null) return undefined;
  const row = transformFunctions[functionNames.get(call[1] ?? '') ?? ''];
  if (row === undefined) throw new Problem(`unknown function in ${token}`);
  const list = call[2] ?? '';
  return compileCall(row, list.trim() === '' ? [] : list.split(','), wildcards, token);
}

/** Whether a destination token that calls something calls what there is; its arguments are looked at later. */
function checkFunction(token: string): void {
  const call = dollarToken.test(token) ? null : (functionToken.exec(token) ?? bareFunction.exec(token));
  if (call === null || transformFunctions[functionNames.get(call[1] ?? '') ?? ''] !== undefined) return;
  throw new Problem(`invalid mapping destination: unknown function in ${token}`);
}

function wildcardPositions(source: readonly string[]): number[] {
  return source.flatMap((token, at) => (token === '*' ? [at] : []));
}

/** Cuts both ends apart: the `>` of source and destination stand for the same rest. */
function compile(source: string, destination: string): Transform {
  if (!isValidSubject(source)) throw new Problem('invalid subject');
  const from = tokens(source);
  const to = tokens(destination);
  if (to.some((token, at) => token === '' || (token === '>' && at < to.length - 1))) {
    throw new Problem('invalid mapping destination: invalid transform');
  }
  for (const token of to) checkFunction(token);
  const rest = from.at(-1) === '>';
  if (to.includes('*') || rest !== (to.at(-1) === '>')) throw new Problem('invalid subject');
  const positions = wildcardPositions(from);
  const pieces = compilePieces(rest ? to.slice(0, -1) : to, positions.length);
  const tail = from.length - 1;
  // nats-server computes the partition of a source without wildcards over no text at all; one partition either way.
  const literal = !rest && positions.length === 0;
  return {
    source,
    destination,
    matches: (subject) => matchesLiteral(subject, from),
    apply: (subject, random) => {
      const parts = tokens(subject);
      const matched: Matched = {
        subject: literal ? '' : subject,
        random,
        wildcard: (index) => parts[index === 0 ? 0 : (positions[index - 1] ?? 0)] ?? '',
      };
      const made = pieces.map((piece) => (typeof piece === 'string' ? piece : piece(matched)));
      return (rest ? [...made, ...parts.slice(tail)] : made).join('.');
    },
  };
}

function compilePieces(destination: readonly string[], wildcards: number): (string | Piece)[] {
  try {
    return destination.map((token) => compileToken(token, wildcards) ?? token);
  } catch (error) {
    if (error instanceof Problem) throw new Problem(`invalid mapping destination: ${error.message}`);
    throw error;
  }
}

export function compileTransform(source: string, destination: string): TransformResult {
  try {
    return { ok: true, transform: compile(source, destination) };
  } catch (error) {
    if (error instanceof Problem) return { ok: false, problem: error.message };
    throw error;
  }
}
