// A JSON reader that says what nats-server says about broken input: same words, same offsets. Numbers stay text, so that the
// schema can judge their range; a value knows where its text is, because some errors quote it.

export type JsonNode = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [name: string, value: JsonNode])[] }
);

/** Input that is no JSON; the message already carries its offset. */
export class JsonError extends Error {
  /** What readers that take a whole document at once say: not where, and the same for every end that came too early. */
  get plain(): string {
    return /^(unexpected )?EOF$/.test(this.message)
      ? 'unexpected end of JSON input'
      : this.message.replace(/ at offset \d+$/, '');
  }
}

interface Cursor {
  readonly text: string;
  at: number;
  depth: number;
}

/** Nothing that is asked for here is nested so deep; every level takes some of the stack. */
const maxDepth = 1_000;
const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Reads one value and nothing after it but white space. */
export function parseJson(text: string): JsonNode {
  const cursor: Cursor = { text, at: 0, depth: 0 };
  const node = readValue(cursor);
  skipSpace(cursor);
  if (cursor.at < text.length) fail(cursor, 'after top-level value');
  return node;
}

/** Reads one value after the other, each when it is asked for. */
export function* parseJsonValues(text: string): Generator<JsonNode> {
  const cursor: Cursor = { text, at: 0, depth: 0 };
  do {
    yield readValue(cursor);
    skipSpace(cursor);
  } while (cursor.at < text.length);
}

function quote(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  const code = char.charCodeAt(0);
  const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };
  if (named[char] !== undefined) return `'${named[char]}'`;
  return code < 0x20 ? `'\\x${code.toString(16).padStart(2, '0')}'` : `'${char}'`;
}

function fail(cursor: Cursor, context: string): never {
  const char = cursor.text[cursor.at];
  if (char === undefined) throw new JsonError(cursor.text.length === 0 ? 'EOF' : 'unexpected EOF');
  throw new JsonError(`invalid character ${quote(char)} ${context} at offset ${cursor.at + 1}`);
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const char = cursor.text.charCodeAt(cursor.at);
    if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return;
    cursor.at += 1;
  }
}

function readValue(cursor: Cursor): JsonNode {
  skipSpace(cursor);
  const start = cursor.at;
  const char = cursor.text[start] ?? '';
  if (char === '{') return readObject(cursor, start);
  if (char === '[') return readArray(cursor, start);
  if (char === '"') {
    const value = readString(cursor);
    return { kind: 'string', value, start, end: cursor.at };
  }
  if (char === 't' || char === 'f') {
    readLiteral(cursor, char === 't' ? 'true' : 'false');
    return { kind: 'bool', value: char === 't', start, end: cursor.at };
  }
  if (char === 'n') {
    readLiteral(cursor, 'null');
    return { kind: 'null', start, end: cursor.at };
  }
  if (char === '-' || (char >= '0' && char <= '9')) return readNumber(cursor, start);
  return fail(cursor, 'looking for beginning of value');
}

function readLiteral(cursor: Cursor, word: string): void {
  for (let index = 0; index < word.length; index++) {
    if (cursor.text[cursor.at] !== word[index]) fail(cursor, `in literal ${word} (expecting '${word[index]}')`);
    cursor.at += 1;
  }
}

function digits(cursor: Cursor): number {
  const from = cursor.at;
  for (;;) {
    const char = cursor.text.charCodeAt(cursor.at);
    if (!(char >= 0x30 && char <= 0x39)) return cursor.at - from;
    cursor.at += 1;
  }
}

function readNumber(cursor: Cursor, start: number): JsonNode {
  if (cursor.text[cursor.at] === '-') cursor.at += 1;
  if (cursor.text[cursor.at] === '0') cursor.at += 1;
  else if (digits(cursor) === 0) fail(cursor, 'in numeric literal');
  if (cursor.text[cursor.at] === '.') {
    cursor.at += 1;
    if (digits(cursor) === 0) fail(cursor, 'after decimal point in numeric literal');
  }
  if (/[eE]/.test(cursor.text[cursor.at] ?? '')) {
    cursor.at += 1;
    if (/[+-]/.test(cursor.text[cursor.at] ?? '')) cursor.at += 1;
    if (digits(cursor) === 0) fail(cursor, 'in exponent of numeric literal');
  }
  return { kind: 'number', text: cursor.text.slice(start, cursor.at), start, end: cursor.at };
}

/** What stands in a string as it is. */
const plainRun = /[^"\\\0-\x1f]*/y;

function readString(cursor: Cursor): string {
  const { text } = cursor;
  let out = '';
  cursor.at += 1;
  for (;;) {
    plainRun.lastIndex = cursor.at;
    plainRun.test(text);
    const end = plainRun.lastIndex;
    out += text.slice(cursor.at, end);
    cursor.at = end;
    const char = text[end];
    if (char === undefined || text.charCodeAt(end) < 0x20) fail(cursor, 'in string literal');
    cursor.at += 1;
    if (char === '"') return out;
    out += readEscape(cursor);
  }
}

function readEscape(cursor: Cursor): string {
  const char = cursor.text[cursor.at] ?? '';
  if (char !== 'u') {
    const plain = escapes[char];
    if (plain === undefined) fail(cursor, 'in string escape code');
    cursor.at += 1;
    return plain;
  }
  cursor.at += 1;
  const from = cursor.at;
  for (let index = 0; index < 4; index++) {
    if (!/[0-9a-fA-F]/.test(cursor.text[cursor.at] ?? '')) fail(cursor, 'in \\u hexadecimal character escape');
    cursor.at += 1;
  }
  return String.fromCharCode(parseInt(cursor.text.slice(from, cursor.at), 16));
}

function enter(cursor: Cursor): void {
  cursor.depth += 1;
  if (cursor.depth > maxDepth) fail(cursor, 'exceeded max depth');
  cursor.at += 1;
  skipSpace(cursor);
}

function leave(cursor: Cursor): void {
  cursor.at += 1;
  cursor.depth -= 1;
}

function readArray(cursor: Cursor, start: number): JsonNode {
  const items: JsonNode[] = [];
  enter(cursor);
  if (cursor.text[cursor.at] !== ']') {
    for (;;) {
      items.push(readValue(cursor));
      skipSpace(cursor);
      const char = cursor.text[cursor.at];
      if (char === ']') break;
      if (char !== ',') fail(cursor, 'after array element');
      cursor.at += 1;
    }
  }
  leave(cursor);
  return { kind: 'array', items, start, end: cursor.at };
}

function readObject(cursor: Cursor, start: number): JsonNode {
  const members: [string, JsonNode][] = [];
  enter(cursor);
  if (cursor.text[cursor.at] !== '}') {
    for (;;) {
      skipSpace(cursor);
      if (cursor.text[cursor.at] !== '"') fail(cursor, 'looking for beginning of object key string');
      const name = readString(cursor);
      skipSpace(cursor);
      if (cursor.text[cursor.at] !== ':') fail(cursor, 'after object key');
      cursor.at += 1;
      members.push([name, readValue(cursor)]);
      skipSpace(cursor);
      const char = cursor.text[cursor.at];
      if (char === '}') break;
      if (char !== ',') fail(cursor, 'after object key:value pair');
      cursor.at += 1;
    }
  }
  leave(cursor);
  return { kind: 'object', members, start, end: cursor.at };
}
