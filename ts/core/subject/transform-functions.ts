// What a destination may do with the wildcards of its source: the table of functions in `{{ }}`.
// Kept true: arguments were checked when the transform was compiled; at work a function cannot fail.
import { partitionOf } from './partition.ts';

/** One publish being mapped. */
export interface Matched {
  readonly subject: string;
  /** The token of the nth wildcard, from 1; 0 is the first token of the subject. */
  wildcard(index: number): string;
  /** A uniform integer below the limit. */
  random(limit: number): number;
}

export type Piece = (matched: Matched) => string;

/** Which arguments a function takes: wildcards (`index`), numbers (`int` is cut to 32 bits, `int32` must fit), or text. */
export type ArgumentKind = 'index' | 'int' | 'int32' | 'text';

export interface TransformFunction {
  /** As configurations may write it: each word begins with either case. */
  readonly words: readonly string[];
  readonly takes: readonly ArgumentKind[];
  /** More arguments of the last kind may follow, or none of it. */
  readonly open?: boolean;
  /** No argument at all is missing, not malformed. */
  readonly bareLacksOne?: boolean;
  /** Of too many arguments, too, nats-server says that they are not enough. */
  readonly manyAreFew?: boolean;
  /** Works on the whole subject, so that the source needs no wildcard. */
  readonly needsNoWildcard?: boolean;
  /** nats-server has it, and does not know it where it looks for functions before it compiles. */
  readonly isOverlooked?: boolean;
  compile(numbers: readonly number[], text: string): Piece;
}

/** An int32 as the unsigned number it is used as. */
const unsigned = (value: number | undefined): number => (value ?? 0) >>> 0;

function slice(token: string, size: number, fromLeft: boolean): string {
  if (size <= 0 || token.length <= size) return token;
  const first = fromLeft ? size : token.length % size || size;
  const pieces = [token.slice(0, first)];
  for (let at = first; at < token.length; at += size) pieces.push(token.slice(at, at + size));
  return pieces.join('.');
}

/** A token of at most `size` characters stays whole. */
function splitAt(token: string, size: number, fromLeft: boolean): string {
  if (size <= 0 || token.length <= size) return token;
  const at = fromLeft ? size : token.length - size;
  return `${token.slice(0, at)}.${token.slice(at)}`;
}

function ofToken(words: readonly string[], change: (token: string, size: number) => string): TransformFunction {
  return {
    words,
    takes: ['index', 'int32'],
    compile:
      ([index = 0, size = 0]) =>
      (matched) =>
        change(matched.wildcard(index), size),
  };
}

/** In the order in which nats-server looks for them. */
export const transformFunctions: readonly TransformFunction[] = [
  {
    words: ['Wildcard'],
    takes: ['index'],
    bareLacksOne: true,
    compile:
      ([index = 0]) =>
      (matched) =>
        matched.wildcard(index),
  },
  {
    words: ['Partition'],
    takes: ['int', 'index'],
    open: true,
    needsNoWildcard: true,
    compile: ([partitions, ...indices]) => {
      const count = unsigned(partitions);
      return (matched) => {
        const text = indices.length === 0 ? matched.subject : indices.map((index) => matched.wildcard(index)).join('');
        return String(partitionOf(text, count));
      };
    },
  },
  ofToken(['Split', 'From', 'Left'], (token, size) => splitAt(token, size, true)),
  ofToken(['Split', 'From', 'Right'], (token, size) => splitAt(token, size, false)),
  ofToken(['Slice', 'From', 'Left'], (token, size) => slice(token, size, true)),
  ofToken(['Slice', 'From', 'Right'], (token, size) => slice(token, size, false)),
  { ...ofToken(['Right'], (token, size) => (size <= 0 ? token : token.slice(-size))), isOverlooked: true },
  { ...ofToken(['Left'], (token, size) => (size <= 0 ? token : token.slice(0, size))), isOverlooked: true },
  {
    words: ['Split'],
    takes: ['index', 'text'],
    compile:
      ([index = 0], separator) =>
      (matched) => {
        const token = matched.wildcard(index);
        return separator === ''
          ? token
          : token
              .split(separator)
              .filter((piece) => piece !== '')
              .join('.');
      },
  },
  {
    words: ['Random'],
    takes: ['int'],
    manyAreFew: true,
    needsNoWildcard: true,
    compile:
      ([limit]) =>
      (matched) =>
        String(unsigned(limit) === 0 ? 0 : matched.random(unsigned(limit))),
  },
];
