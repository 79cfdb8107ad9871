/**
 * Reads a transcript: a recorded dialogue between clients (`C:`) and a server (`S:`), kept as text in test/transcripts.
 * The format is described in test/transcripts/README.md. This file only parses; transcript-player.ts replays.
 * Every statement keeps the line it came from, so that a failure names it.
 */

export type Statement =
  | { readonly kind: 'open' | 'on'; readonly name: string; readonly showInfo: boolean; readonly line: number }
  | { readonly kind: 'send'; readonly bytes: Buffer; readonly line: number }
  | { readonly kind: 'close' | 'closed' | 'sync' | 'reload'; readonly line: number; readonly config: string }
  | { readonly kind: 'expect'; readonly text: string; readonly line: number }
  | { readonly kind: 'match'; readonly pattern: RegExp; readonly line: number }
  | { readonly kind: 'info'; readonly fields: Readonly<Record<string, unknown>>; readonly line: number }
  | { readonly kind: 'unordered'; readonly texts: readonly string[]; readonly line: number }
  | {
      readonly kind: 'spread';
      readonly names: readonly string[];
      readonly count: number;
      readonly text: string;
      readonly line: number;
    }
  | { readonly kind: 'signal'; readonly name: NodeJS.Signals; readonly line: number };

export interface Transcript {
  readonly title: string;
  readonly args: readonly string[];
  readonly config: string | undefined;
  readonly statements: readonly Statement[];
}

const simpleEscapes: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', f: '\f', '0': '\0', '\\': '\\' };

/** Undoes `\r \n \t \f \0 \\ \xHH` and `{{N*text}}`; the result has one character a byte. */
export function unescapeText(source: string): string {
  const bytes = Buffer.from(source, 'utf8').toString('latin1');
  const plain = bytes.replace(/\\(x([0-9a-fA-F]{2})|.)/g, (whole, name: string, hex: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const value = simpleEscapes[name];
    if (value === undefined) throw new Error(`unknown escape ${whole}`);
    return value;
  });
  return plain.replace(/\{\{(\d+)\*([^}]*)\}\}/g, (_whole, count: string, text: string) => text.repeat(Number(count)));
}

/** The inverse, for what a recorder writes. Long runs of one character become `{{N*c}}`. */
export function escapeText(text: string): string {
  const names: Record<string, string> = { '\r': '\\r', '\n': '\\n', '\t': '\\t', '\f': '\\f', '\0': '\\0', '\\': '\\\\' };
  const escaped = [...text].map((character) => {
    const code = character.charCodeAt(0);
    const name = names[character];
    if (name !== undefined) return name;
    return code < 32 || code > 126 ? `\\x${code.toString(16).padStart(2, '0')}` : character;
  });
  return escaped.join('').replace(/([a-zA-Z0-9])\1{39,}/g, (run, character: string) => `{{${run.length}*${character}}}`);
}

/** Verbs of a line and what they make of the rest. `config` is what the `|` lines after it hold. */
const verbs: ReadonlyArray<readonly [prefix: string, make: (rest: string, line: number) => Statement]> = [
  ['C: ', (rest, line) => ({ kind: 'send', bytes: Buffer.from(unescapeText(rest) + '\r\n', 'latin1'), line })],
  ['C:', (_rest, line) => ({ kind: 'send', bytes: Buffer.from('\r\n', 'latin1'), line })],
  ['C> ', (rest, line) => ({ kind: 'send', bytes: Buffer.from(unescapeText(rest), 'latin1'), line })],
  ['C(close)', (_rest, line) => ({ kind: 'close', line, config: '' })],
  ['S(close)', (_rest, line) => ({ kind: 'closed', line, config: '' })],
  ['S: INFO ', (rest, line) => ({ kind: 'info', fields: JSON.parse(rest) as Record<string, unknown>, line })],
  ['S: ', (rest, line) => ({ kind: 'expect', text: unescapeText(rest), line })],
  ['S:', (_rest, line) => ({ kind: 'expect', text: '', line })],
  ['S~ ', (rest, line) => ({ kind: 'match', pattern: new RegExp(`^(?:${rest})$`), line })],
  ['S| ', (rest, line) => ({ kind: 'unordered', texts: [unescapeText(rest) + '\r\n'], line })],
  ['open ', (rest, line) => opening(rest, line)],
  ['on ', (rest, line) => ({ kind: 'on', name: rest, showInfo: false, line })],
  ['sync', (_rest, line) => ({ kind: 'sync', line, config: '' })],
  ['reload', (_rest, line) => ({ kind: 'reload', line, config: '' })],
  ['signal ', (rest, line) => ({ kind: 'signal', name: rest as NodeJS.Signals, line })],
  ['spread ', (rest, line) => spreading(rest, line)],
];

function opening(rest: string, line: number): Statement {
  const [name = '', option] = rest.split(' ');
  if (option !== undefined && option !== '+info') throw new Error(`line ${line}: unknown option ${option}`);
  return { kind: 'open', name, showInfo: option === '+info', line };
}

function spreading(rest: string, line: number): Statement {
  const match = /^([\w ]+) = (\d+) (.*)$/.exec(rest);
  if (match === null) throw new Error(`line ${line}: wanted "spread NAME NAME = COUNT TEXT"`);
  const [, names = '', count, text = ''] = match;
  return { kind: 'spread', names: names.split(' '), count: Number(count), text: unescapeText(text) + '\r\n', line };
}

function statementOf(source: string, line: number): Statement {
  for (const [prefix, make] of verbs) {
    if (prefix === source || (source.startsWith(prefix) && prefix.length > 2)) return make(source.slice(prefix.length), line);
  }
  throw new Error(`line ${line}: not a transcript statement: ${source}`);
}

/** Joins what belongs together: lines that a client sends in one go, and runs of `S|` to one unordered group. */
function append(statements: Statement[], next: Statement): void {
  const last = statements.at(-1);
  if (next.kind === 'unordered' && last?.kind === 'unordered') {
    statements[statements.length - 1] = { ...last, texts: [...last.texts, ...next.texts] };
  } else if (next.kind === 'send' && last?.kind === 'send') {
    statements[statements.length - 1] = { ...next, bytes: Buffer.concat([last.bytes, next.bytes]) };
  } else {
    statements.push(next);
  }
}

export function parseTranscript(source: string): Transcript {
  const lines = source.split('\n');
  const title = lines[0]?.startsWith('# ') ? lines[0].slice(2) : undefined;
  if (title === undefined) throw new Error('a transcript begins with "# title"');
  const statements: Statement[] = [];
  let args: readonly string[] = [];
  let config: string | undefined;
  lines.forEach((text, index) => {
    const line = index + 1;
    if (text === '' || text.startsWith('#')) return;
    if (text.startsWith('server ')) {
      args = text.slice('server '.length).split(' ');
    } else if (text.startsWith('|')) {
      const row = text.slice(2) + '\n';
      const last = statements.at(-1);
      if (last?.kind === 'reload') statements[statements.length - 1] = { ...last, config: last.config + row, line };
      else config = (config ?? '') + row;
    } else {
      append(statements, statementOf(text, line));
    }
  });
  return { title, args, config, statements };
}
