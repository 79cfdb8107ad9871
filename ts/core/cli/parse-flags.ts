// Splits a command line into flags and words, by the rules of Go's flag package: `-x` and `--x` are the same, a value follows or
// comes after `=`, a boolean takes a value only after `=`, the first word that is no flag ends the flags.
// Kept true: a result is either values or one line that says what is wrong; nothing is thrown.

import { FLAGS } from './flag-table.ts';
import type { Flag, FlagValues } from './flag-table.ts';

export type ParsedFlags =
  | { readonly values: FlagValues; readonly words: readonly string[] }
  /** The command line cannot be read: this line and the help text are shown. */
  | { readonly wrong: string };

const byName: ReadonlyMap<string, Flag> = new Map(FLAGS.flatMap((flag) => flag.names.map((name) => [name, flag] as const)));

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** An integer as Go source writes it: decimal, 0x, 0o, 0b or a leading 0 for octal. */
export function parseGoInt(text: string): number | undefined {
  const match = /^([+-]?)(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[1-9][0-9_]*|0)$/.exec(text);
  if (match === null) return undefined;
  const digits = (match[2] ?? '').replaceAll('_', '');
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  if (!Number.isSafeInteger(value)) return undefined;
  return match[1] === '-' ? -value : value;
}

function convert(flag: Flag, name: string, text: string): boolean | number | string | { wrong: string } {
  if (flag.kind === 'text') return text;
  if (flag.kind === 'int') {
    return parseGoInt(text) ?? { wrong: `invalid value "${text}" for flag -${name}: parse error` };
  }
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : { wrong: `invalid boolean value "${text}" for -${name}: parse error` };
}

export function parseFlags(argv: readonly string[]): ParsedFlags {
  const values = new Map<string, boolean | number | string>();
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word.length < 2 || !word.startsWith('-')) break;
    if (word === '--') {
      at++;
      break;
    }
    const body = word.replace(/^--?/, '');
    if (body === '' || body.startsWith('-') || body.startsWith('=')) return { wrong: `bad flag syntax: ${word}` };
    const equals = body.indexOf('=');
    const name = equals === -1 ? body : body.slice(0, equals);
    const flag = byName.get(name);
    if (flag === undefined) return { wrong: `flag provided but not defined: -${name}` };
    let text = equals === -1 ? undefined : body.slice(equals + 1);
    if (text === undefined && flag.kind === 'bool') text = 'true';
    if (text === undefined) {
      at++;
      text = argv[at];
    }
    if (text === undefined) return { wrong: `flag needs an argument: -${name}` };
    const value = convert(flag, name, text);
    if (typeof value === 'object') return value;
    values.set(flag.names[0] ?? name, value);
  }
  return { values, words: argv.slice(at) };
}
