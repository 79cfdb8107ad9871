// Subject transforms: from a source pattern to a destination made of literals, `$n` and functions. Compiled once, then pure.
// Used by mappings, and by the streams' transforms, republish and sources.
// Kept true: a compiled transform maps every subject its source matches; what cannot be compiled is explained in nats-server's words.
import { isValidSubject, matchesLiteral, tokens } from './subject.ts';
import { transformFunctions } from './transform-functions.ts';
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

/** One that lies in the destination. */
class DestinationProblem extends Problem {
  constructor(text: string, token: string) {
    super(`invalid mapping destination: ${text}${token === '' ? '' : ` in ${token}`}`);
  }
}

const INT32_MAX = 2 ** 31 - 1;
const INT64_BOUND = 2n ** 63n;
const integer = /^[+-]?\d+$/;
const blank = /[\t\n\f\r ]/;

/** An integer of 64 bits, with spaces around it. */
function parseInteger(text: string): number | undefined {
  const trimmed = text.replace(/^ +| +$/g, '');
  if (!integer.test(trimmed)) return undefined;
  const value = BigInt(trimmed.replace('+', ''));
  return value >= -INT64_BOUND && value < INT64_BOUND ? Number(value) : undefined;
}

function parseArgument(kind: ArgumentKind, text: string): number | undefined {
  const value = parseInteger(text);
  if (value === undefined || kind === 'index') return value;
  if (value > INT32_MAX || (kind === 'int32' && value < -INT32_MAX - 1)) return undefined;
  return value | 0;
}

interface Call {
  readonly row: TransformFunction;
  readonly args: readonly string[];
}

const patterns = transformFunctions.map((row) => {
  const name = row.words.map((word) => `[${word.charAt(0)}${word.charAt(0).toLowerCase()}]${word.slice(1)}`).join('');
  return { row, pattern: new RegExp(`\\{\\{[\\t\\n\\f\\r ]*${name}[\\t\\n\\f\\r ]*\\((.*)\\)[\\t\\n\\f\\r ]*\\}\\}`) };
});

function isCall(token: string): boolean {
  return token.length > 4 && token.startsWith('{{') && token.endsWith('}}');
}

function callOf(token: string): Call | undefined {
  for (const { row, pattern } of patterns) {
    const list = pattern.exec(token)?.[1];
    if (list !== undefined) return { row, args: list.split(/,[\t\n\f\r ]*/) };
  }
  return undefined;
}

function checkCount({ row, args }: Call, token: string): void {
  const { takes, open = false, bareLacksOne = false, manyAreFew = false } = row;
  const fewest = open ? takes.length - 1 : takes.length;
  const isFew = args.length < fewest || (bareLacksOne && args.length === 1 && args[0] === '');
  const isMany = args.length > takes.length && !open;
  if (isFew || (isMany && manyAreFew)) throw new DestinationProblem('not enough arguments passed to the function', token);
  if (isMany) throw new DestinationProblem('too many arguments passed to the function', token);
}

/** What a destination may be made of. */
interface Wildcards {
  /** Those of the source. */
  readonly count: number;
  /** The source is one subject only. */
  readonly isLiteral: boolean;
  /** Nothing but wildcards, so that there is a way back. */
  readonly only: boolean;
}

function checkIndices(indices: readonly number[], { count, isLiteral }: Wildcards, token: string): void {
  const text = 'wildcard index out of range';
  if (isLiteral) throw new DestinationProblem(text, token);
  const beyond = indices.find((index) => index > count);
  if (beyond !== undefined) throw new DestinationProblem(text, `${token}: [${beyond}]`);
}

function compileCall(call: Call, wildcards: Wildcards, token: string): Piece {
  const { row, args } = call;
  checkCount(call, token);
  const kindOf = (at: number): ArgumentKind => row.takes[Math.min(at, row.takes.length - 1)] ?? 'int';
  const numbers: number[] = [];
  let text = '';
  for (const [at, arg] of args.entries()) {
    const number = kindOf(at) === 'text' ? undefined : parseArgument(kindOf(at), arg);
    if (number !== undefined) numbers.push(number);
    else if (kindOf(at) === 'text' && !/[ .]/.test(arg)) text = arg;
    else throw new DestinationProblem('function argument is invalid or in the wrong format', token);
  }
  if (wildcards.only && row.words[0] !== 'Wildcard')
    throw new DestinationProblem('the only mapping function allowed for import transforms is {{Wildcard()}}', token);
  const needsNone = row.needsNoWildcard === true;
  if (wildcards.isLiteral && needsNone) return row.compile(numbers.slice(0, 1), text);
  const indices = numbers.filter((_, at) => kindOf(at) === 'index');
  if (indices.length > 0 || !needsNone) checkIndices(indices, wildcards, token);
  return row.compile(numbers, text);
}

/** The piece a destination token makes; undefined for a literal. */
function compileToken(token: string, wildcards: Wildcards): Piece | undefined {
  if (token.startsWith('$')) {
    const index = /\s/.test(token) ? undefined : parseInteger(token.slice(1));
    if (index === undefined) return undefined;
    checkIndices([index], wildcards, token);
    return (matched) => matched.wildcard(index);
  }
  if (!isCall(token)) return undefined;
  const call = callOf(token);
  if (call === undefined) throw new DestinationProblem('unknown function', token);
  return compileCall(call, wildcards, token);
}

/** What is looked for in a destination before it is compiled. */
function checkDestination(destination: string, isKnown: (row: TransformFunction) => boolean): void {
  let isOver = false;
  for (const token of tokens(destination)) {
    if (token === '' || isOver) throw new DestinationProblem('invalid transform', token);
    if (isCall(token)) {
      const known = patterns.some(({ row, pattern }) => isKnown(row) && pattern.test(token));
      if (!known) throw new DestinationProblem('unknown function', token);
    } else if (token === '>') isOver = true;
    else if (blank.test(token)) throw new DestinationProblem('invalid transform', '');
  }
}

function wildcardPositions(source: readonly string[]): number[] {
  return source.flatMap((token, at) => (token === '*' ? [at] : []));
}

/** Cuts both ends apart: the `>` of source and destination stand for the same rest. */
function compile(source: string, destination: string, only = false): Transform {
  const from = tokens(source);
  const to = tokens(destination);
  const rest = from.at(-1) === '>';
  const isBroken = to.some((token, at) => token === '' || token === '*' || (token === '>' && at < to.length - 1));
  if (!isValidSubject(source) || isBroken || rest !== (to.at(-1) === '>')) throw new Problem('invalid subject');
  const positions = wildcardPositions(from);
  // nats-server computes the partition of a source without wildcards over no text at all; one partition either way.
  const literal = !rest && positions.length === 0;
  const wildcards = { count: positions.length, isLiteral: literal, only };
  const pieces = (rest ? to.slice(0, -1) : to).map((token) => compileToken(token, wildcards) ?? token);
  const tail = from.length - 1;
  return {
    source,
    destination,
    matches: (subject) => matchesLiteral(subject, from),
    apply: (subject, random) => {
      const parts = tokens(subject);
      const matched: Matched = {
        subject: literal ? '' : subject,
        random,
        wildcard: (index) => parts[positions[index - 1] ?? 0] ?? '',
      };
      const made = pieces.map((piece) => (typeof piece === 'string' ? piece : piece(matched)));
      return (rest ? [...made, ...parts.slice(tail)] : made).join('.');
    },
  };
}

/** A transform that can be turned around, as imports have it. */
export function compileReversible(source: string, destination: string): TransformResult {
  return attempt(() => compile(source, destination, true));
}

/** One with all functions, as republishing has it. */
export function compileTransform(source: string, destination: string): TransformResult {
  return attempt(() => compile(source, destination));
}

/** One as mappings have it. */
export function compileMapping(source: string, destination: string): TransformResult {
  return attempt(() => {
    checkDestination(destination, () => true);
    return compile(source, destination);
  });
}

/** One of what a stream takes in. nats-server, which may have to open the stream one day, overlooks two functions there. */
export function compileStreamTransform(source: string, destination: string): TransformResult {
  return attempt(() => {
    checkDestination(destination, ({ isOverlooked = false }) => !isOverlooked);
    return compile(source, destination);
  });
}

function attempt(make: () => Transform): TransformResult {
  try {
    return { ok: true, transform: make() };
  } catch (error) {
    if (error instanceof Problem) return { ok: false, problem: error.message };
    throw error;
  }
}
