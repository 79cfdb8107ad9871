// The configuration language: text with includes and variables to a tree of values. Keys have no meaning here yet.
// Files and the environment come in through `ParserPorts`, so that parsing stays a pure function.
// Kept true: a variable sees the keys defined before it in the maps around it, then the environment; an included file sees only
// its own keys; nesting, includes and variables of variables are bounded, so that no input can exhaust the stack.

import { ConfigError } from './config-error.ts';
import type { Position } from './config-error.ts';
import { extentOf, valueAt } from './config-value.ts';
import type { ConfigValue, MapValue } from './config-value.ts';
import { END, isBlank, isDigit, isNewline, isSpace, Scanner } from './scanner.ts';
import { readBareString, readBlockString, readDoubleQuoted, readNumeric, readSingleQuoted } from './scalar-reader.ts';
import type { Scalar } from './scalar-reader.ts';
import { messageOf } from '../../lib/message-of.ts';

export interface ParserPorts {
  /** The text of a file. Throws when it cannot be read. */
  readFile(path: string): string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const MAX_NESTING = 256;
const MAX_INCLUDES = 1_000;
const MAX_INCLUDE_DEPTH = 64;
const MAX_PATH = 4_096;
/** Values that variables may stand for, all together: what a file means is at most so much larger than its text. */
const MAX_EXPANSION = 1_000_000;
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['no', false],
  ['off', false],
]);

/** What a file may still use up, shared by everything it includes. */
interface Budget {
  includes: number;
  values: number;
}

/** Where the parser is: the file, the maps around it and what led here. */
interface Frame {
  readonly scanner: Scanner;
  readonly ports: ParserPorts;
  /** Maps around the cursor, innermost last. */
  readonly scopes: MapValue[];
  /** Files being included, outermost first. */
  readonly files: readonly string[];
  /** Environment variables being read, outermost first. */
  readonly variables: readonly string[];
  readonly budget: Budget;
  nesting: number;
}

type Place = 'top' | 'block' | 'map' | 'array';

export function parseConfig(text: string, file: string, ports: ParserPorts): MapValue {
  const budget = { includes: MAX_INCLUDES, values: MAX_EXPANSION };
  return parseText(text, file, ports, [file], [], budget);
}

function parseText(
  text: string,
  file: string,
  ports: ParserPorts,
  files: readonly string[],
  variables: readonly string[],
  budget: Budget,
): MapValue {
  const scanner = new Scanner(text, file);
  const root: MapValue = { kind: 'map', entries: new Map(), at: scanner.position(0) };
  parseTop({ scanner, ports, scopes: [root], files, variables, budget, nesting: 0 }, root);
  return root;
}

/** The file's own level. Braces around it, as in JSON, are allowed. */
function parseTop(frame: Frame, root: MapValue): void {
  const { scanner } = frame;
  let open = 0;
  for (;;) {
    scanner.skipToNext();
    if (scanner.peek() === END) break;
    if (scanner.take('{')) {
      open++;
    } else if (scanner.peek() === '}' && (open > 0 || scanner.text.slice(scanner.offset + 1).trim() === '')) {
      scanner.offset++;
      open--;
    } else {
      parseEntry(frame, root, open > 0 ? 'block' : 'top');
      if (endEntry(frame, open > 0 ? 'block' : 'top')) open--;
    }
  }
  if (open > 0) scanner.fail("a '{' around the whole file is not closed");
}

function parseEntry(frame: Frame, into: MapValue, place: Place): void {
  const { scanner } = frame;
  const start = scanner.offset;
  const first = scanner.peek();
  if (first === '=' || first === ':') scanner.fail(`expected a key before '${first}'`);
  if ([',', ';', '}', ']', '/'].includes(first)) scanner.fail(`expected a key, not '${first}'`);
  const isQuoted = first === '"' || first === "'";
  const at = scanner.position(isQuoted ? start + 1 : start);
  const key = isQuoted ? readQuotedKey(scanner, first) : readBareKey(scanner);
  if (!isQuoted && key.toLowerCase() === 'include' && isSpace(scanner.peek())) {
    parseInclude(frame, into);
    return;
  }
  scanner.skipSpace();
  const separated = scanner.take('=') || scanner.take(':');
  if (separated && place === 'map') scanner.skipBlanksAndNewlines();
  else scanner.skipBlanks();
  if (isNewline(scanner.peek())) scanner.fail(`expected a value for "${key}" before the end of the line`, scanner.offset + 1);
  if (scanner.peek() === END && !separated) scanner.fail(`key "${key}" has no value`);
  // Only an empty value at the file's own level stands for an empty string; elsewhere it is a forgotten one.
  if (place === 'map' && (scanner.peek() === END || scanner.peek() === '}' || scanner.peek() === ',')) {
    scanner.fail(`key "${key}" has no value`);
  }
  const value = valueAt(parseValue(frame), at);
  into.entries.delete(key);
  into.entries.set(key, { key, value, referenced: false });
}

/** A quoted key is taken as it stands, without escapes. */
function readQuotedKey(scanner: Scanner, quote: string): string {
  const end = scanner.text.indexOf(quote, scanner.offset + 1);
  if (end === -1) scanner.fail('a quoted key that begins here is not closed');
  const key = scanner.text.slice(scanner.offset + 1, end);
  scanner.offset = end + 1;
  return key;
}

function readBareKey(scanner: Scanner): string {
  const start = scanner.offset;
  while (!isSpace(scanner.peek()) && ![END, '=', ':'].includes(scanner.peek())) scanner.offset++;
  const key = scanner.slice(start);
  if (scanner.peek() === END) scanner.fail(`key "${key}" has no value`, start);
  return key;
}

/** After a key and its value. True when a `}` that encloses the file was taken. */
function endEntry(frame: Frame, place: Place): boolean {
  const { scanner } = frame;
  scanner.skipBlanks();
  const char = scanner.peek();
  if (scanner.atComment() || isNewline(char)) return false;
  if (char === END && place !== 'block') return false;
  if (scanner.take(',') || scanner.take(';')) return false;
  if (scanner.take('}')) return place === 'block';
  return scanner.fail(`expected the end of the value, not ${scanner.shown()}`);
}

function parseValue(frame: Frame): ConfigValue {
  const { scanner } = frame;
  const at = scanner.position();
  const char = scanner.peek();
  if (scanner.take('[')) return nested(frame, () => parseArray(frame, at));
  if (scanner.take('{')) return nested(frame, () => parseMap(frame, at));
  if (scanner.take("'")) return { kind: 'string', value: readSingleQuoted(scanner), at };
  if (scanner.take('"')) return { kind: 'string', value: readDoubleQuoted(scanner), at };
  if (scanner.take('(')) return { kind: 'string', value: readBlockString(scanner), at };
  if (char === '.') scanner.fail("a number must begin with a digit, not '.'");
  return fromScalar(frame, isDigit(char) || char === '-' ? readNumeric(scanner) : readBareString(scanner), at);
}

function nested<T>(frame: Frame, parse: () => T): T {
  if (frame.nesting === MAX_NESTING) frame.scanner.fail(`more than ${MAX_NESTING} levels of nesting`);
  frame.nesting++;
  const result = parse();
  frame.nesting--;
  return result;
}

function fromScalar(frame: Frame, scalar: Scalar, at: Position): ConfigValue {
  switch (scalar.kind) {
    case 'integer':
      return { kind: 'integer', value: Number(scalar.exact), exact: scalar.exact, at };
    case 'float':
    case 'datetime':
      return { ...scalar, at };
    case 'string': {
      const bool = scalar.bare ? BOOLEANS.get(scalar.value.toLowerCase()) : undefined;
      if (bool !== undefined) return { kind: 'bool', value: bool, at };
      const isVariable = scalar.bare && scalar.value.startsWith('$') && !scalar.value.startsWith('$2a$');
      return isVariable ? resolveVariable(frame, scalar.value.slice(1), at) : { kind: 'string', value: scalar.value, at };
    }
  }
}

/** The cursor is after the `[`. Items are separated by commas or line ends. */
function parseArray(frame: Frame, at: Position): ConfigValue {
  const { scanner } = frame;
  const items: ConfigValue[] = [];
  for (;;) {
    scanner.skipToNext();
    if (scanner.take(']')) return { kind: 'array', items, at };
    if (scanner.peek() === ',') scanner.fail("expected a value in the list, not ','");
    if (scanner.peek() === END) scanner.fail("a list is not closed by ']'");
    items.push(parseValue(frame));
    scanner.skipBlanks();
    if (scanner.take(']')) return { kind: 'array', items, at };
    if (!scanner.take(',') && !isNewline(scanner.peek()) && !scanner.atComment()) {
      scanner.fail(`expected ',' or ']' in the list, not ${scanner.shown()}`);
    }
  }
}

/** The cursor is after the `{`. */
function parseMap(frame: Frame, at: Position): ConfigValue {
  const { scanner } = frame;
  const map: MapValue = { kind: 'map', entries: new Map(), at };
  frame.scopes.push(map);
  for (;;) {
    scanner.skipToNext();
    if (scanner.peek() === END) scanner.fail("a map is not closed by '}'");
    if (scanner.take('}')) break;
    parseEntry(frame, map, 'map');
    scanner.skipBlanks();
    if (scanner.take('}')) break;
    if (!scanner.take(',') && !scanner.take(';') && !isNewline(scanner.peek()) && !scanner.atComment()) {
      scanner.fail(`expected ',' or '}' in the map, not ${scanner.shown()}`);
    }
  }
  frame.scopes.pop();
  return map;
}

/** `include file`: its keys become keys of the map around it. The cursor is after the word. */
function parseInclude(frame: Frame, into: MapValue): void {
  const { scanner, ports, files } = frame;
  scanner.skipBlanks();
  const start = scanner.offset;
  const path = readIncludePath(scanner);
  const target = joinPath(directoryOf(scanner.file), path);
  if (target.length > MAX_PATH) scanner.fail('the name of the file to include is too long', start);
  if (files.includes(target)) scanner.fail(`include file '${path}' includes itself`, start);
  if (files.length > MAX_INCLUDE_DEPTH) scanner.fail(`more than ${MAX_INCLUDE_DEPTH} files include each other`, start);
  if (frame.budget.includes-- === 0) scanner.fail(`more than ${MAX_INCLUDES} includes`, start);
  let text: string;
  try {
    text = ports.readFile(target);
  } catch (error) {
    const reason = messageOf(error);
    throw new ConfigError([{ at: scanner.position(start), text: `error parsing include file '${path}', ${reason}` }]);
  }
  const included = parseText(text, target, ports, [...files, target], frame.variables, frame.budget);
  for (const entry of included.entries.values()) {
    into.entries.delete(entry.key);
    into.entries.set(entry.key, entry);
  }
}

function readIncludePath(scanner: Scanner): string {
  if (isNewline(scanner.peek()) || scanner.peek() === END) scanner.fail('expected the name of a file to include');
  if (scanner.peek() === '{' || scanner.peek() === '[') scanner.fail('expected the name of a file to include, not a block');
  if (scanner.take("'")) return readSingleQuoted(scanner);
  if (scanner.take('"')) return readDoubleQuoted(scanner);
  const start = scanner.offset;
  while (!isBlank(scanner.peek()) && !isNewline(scanner.peek()) && ![END, ';', '}'].includes(scanner.peek())) scanner.offset++;
  return scanner.slice(start);
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

/** As nats-server joins them: always below the including file's directory. */
function joinPath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${directory}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !directory.startsWith('/')) parts.push(part);
  }
  return (directory.startsWith('/') ? '/' : '') + parts.join('/');
}

/** Bounds what a variable stands for: lists of lists of the same variable grow without the text growing. */
function withinBudget(frame: Frame, value: ConfigValue, at: Position): ConfigValue {
  const { count, depth } = extentOf(value);
  frame.budget.values -= count;
  if (depth > MAX_NESTING) frame.scanner.fail(`more than ${MAX_NESTING} levels of nesting`);
  if (frame.budget.values >= 0) return value;
  throw new ConfigError([{ at, text: `variables stand for more than ${MAX_EXPANSION} values` }]);
}

function resolveVariable(frame: Frame, name: string, at: Position): ConfigValue {
  for (let i = frame.scopes.length - 1; i >= 0; i--) {
    const entry = frame.scopes[i]?.entries.get(name);
    if (entry === undefined) continue;
    entry.referenced = true;
    return withinBudget(frame, entry.value, at);
  }
  const text = Object.hasOwn(frame.ports.env, name) ? frame.ports.env[name] : undefined;
  const where = `variable reference for '${name}' on line ${at.line}`;
  if (text === undefined) throw new ConfigError([{ at, text: `${where} can not be found` }]);
  if (frame.variables.includes(name)) throw new ConfigError([{ at, text: `${where}: variable reference cycle for '${name}'` }]);
  try {
    const parsed = parseText(`${name}=${text}`, at.file, frame.ports, frame.files, [...frame.variables, name], frame.budget);
    return withinBudget(frame, parsed.entries.get(name)?.value ?? { kind: 'string', value: '', at }, at);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError([{ at, text: `${where} could not be parsed: ${error.problems.map((p) => p.text).join(', ')}` }]);
  }
}
