// Can a mapping's destination be made from its source? Checked while reading, so that a wrong one is reported with its place.
// Kept true: a destination that passes refers only to wildcards its source has, and ends in `>` exactly when the source does.

import { isValidSubject, tokens } from '../subject/subject.ts';

/** Arguments of the functions that may stand in a destination: how many, and which of them are positions of wildcards. */
const FUNCTIONS: Readonly<
  Record<string, { least: number; most: number; kind: 'position' | 'numbers' | 'separator' | 'position+number' }>
> = {
  wildcard: { least: 1, most: 1, kind: 'position' },
  partition: { least: 1, most: Infinity, kind: 'numbers' },
  random: { least: 1, most: 1, kind: 'numbers' },
  split: { least: 2, most: 2, kind: 'separator' },
  splitfromleft: { least: 2, most: 2, kind: 'position+number' },
  splitfromright: { least: 2, most: 2, kind: 'position+number' },
  slicefromleft: { least: 2, most: 2, kind: 'position+number' },
  slicefromright: { least: 2, most: 2, kind: 'position+number' },
  left: { least: 2, most: 2, kind: 'position+number' },
  right: { least: 2, most: 2, kind: 'position+number' },
};

const MAX_INT32 = 2_147_483_647;

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^-?\d+$/.test(text) && Math.abs(Number(text)) <= MAX_INT32;
}

/** What is wrong with a call such as `{{wildcard(1)}}`. */
function checkCall(name: string, args: readonly string[], wildcards: number): string | undefined {
  const rule = FUNCTIONS[name.toLowerCase()];
  if (rule === undefined) return 'unknown function';
  if (args.length < rule.least) return 'not enough arguments passed to the function';
  if (args.length > rule.most) return 'too many arguments passed to the function';
  const positions = rule.kind === 'numbers' ? args.slice(1) : args.slice(0, 1);
  const numbers = rule.kind === 'separator' || rule.kind === 'position' ? args.slice(0, 1) : args;
  if (!numbers.every(isNumber)) return 'function argument is invalid or in the wrong format';
  // Without wildcards a partition is of the whole subject, whatever positions are named.
  if (wildcards === 0 && rule.kind === 'numbers') return undefined;
  return positions.some((at) => Number(at) > wildcards) ? 'wildcard index out of range' : undefined;
}

function checkToken(token: string, wildcards: number): string | undefined {
  const dollar = /^\$(\d+)$/.exec(token);
  if (dollar !== null) return Number(dollar[1]) > wildcards ? `wildcard index out of range in ${token}` : undefined;
  if (!/^\{\{.+\}\}$/.test(token)) return undefined;
  const call = /^\{\{\s*(\w+)\s*\(([^)]*)\)\s*\}\}$/.exec(token);
  if (call === null) return `unknown function in ${token}`;
  const args = (call[2] ?? '').trim() === '' ? [] : (call[2] ?? '').split(',').map((part) => part.trim());
  const wrong = checkCall(call[1] ?? '', args, wildcards);
  return wrong === undefined ? undefined : `${wrong} in ${token}`;
}

/** What is wrong with mapping `source` to `destination`, undefined when it can be done. */
export function checkMapping(source: string, destination: string): string | undefined {
  const from = tokens(source);
  // Arguments in a call may hold blanks, which no other token may.
  const to = destination.replace(/\{\{[^}]*\}\}/g, (call) => call.replace(/\s/g, ''));
  if (!isValidSubject(to)) return 'invalid subject';
  const target = tokens(to);
  if (target.includes('*')) return 'invalid subject';
  if ((from.at(-1) === '>') !== (target.at(-1) === '>')) return 'invalid subject';
  const wildcards = from.filter((token) => token === '*').length;
  for (const token of target) {
    const wrong = checkToken(token, wildcards);
    if (wrong !== undefined) return `invalid mapping destination: ${wrong}`;
  }
  return undefined;
}
