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

/** Which arguments a function takes: wildcards (`index`), numbers, or text. */
export type ArgumentKind = 'index' | 'int' | 'text';

export interface TransformFunction {
  readonly takes: readonly ArgumentKind[];
  /** More arguments of the last kind may follow. */
  readonly open?: boolean;
  /** Works on the whole subject, so that the source needs no wildcard. */
  readonly needsNoWildcard?: boolean;
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

function ofToken(change: (token: string, size: number) => string): TransformFunction {
  return {
    takes: ['index', 'int'],
    compile:
      ([index = 0, size = 0]) =>
      (matched) =>
        change(matched.wildcard(index), size),
  };
}

export const transformFunctions: Readonly<Record<string, TransformFunction>> = {
  wildcard: {
    takes: ['index'],
    compile:
      ([index = 0]) =>
      (matched) =>
        matched.wildcard(index),
  },
  partition: {
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
  random: {
    takes: ['int'],
    needsNoWildcard: true,
    compile:
      ([limit]) =>
      (matched) =>
        String(unsigned(limit) === 0 ? 0 : matched.random(unsigned(limit))),
  },
  split: {
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
  splitfromleft: ofToken((token, size) => splitAt(token, size, true)),
  splitfromright: ofToken((token, size) => splitAt(token, size, false)),
  slicefromleft: ofToken((token, size) => slice(token, size, true)),
  slicefromright: ofToken((token, size) => slice(token, size, false)),
  left: ofToken((token, size) => (size <= 0 ? token : token.slice(0, size))),
  right: ofToken((token, size) => (size <= 0 ? token : token.slice(-size))),
};

/** Names as configurations may write them: each word begins with either case. */
export const functionNames: ReadonlyMap<string, string> = new Map(
  [
    'Wildcard',
    'Partition',
    'Random',
    'Split',
    'Split|From|Left',
    'Split|From|Right',
    'Slice|From|Left',
    'Slice|From|Right',
    'Left',
    'Right',
  ]
    .map((name) => name.split('|'))
    .flatMap((words) => spellings(words).map((spelling) => [spelling, words.join('').toLowerCase()] as const)),
);

function spellings(words: readonly string[]): string[] {
  let all = [''];
  for (const word of words) all = all.flatMap((start) => [start + word, start + word.charAt(0).toLowerCase() + word.slice(1)]);
  return all;
}
