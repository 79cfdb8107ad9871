// A cursor over the text of one configuration file: peeking, skipping blanks and comments, and saying where something is.
// Kept true: the cursor only moves forward, and every failure is a ConfigError that names the line.

import { ConfigError } from './config-error.ts';
import type { Position } from './config-error.ts';

/** What `peek` answers at the end of the text. */
export const END = '';

export function isNewline(char: string): boolean {
  return char === '\n' || char === '\r';
}

export function isBlank(char: string): boolean {
  return char === ' ' || char === '\t';
}

export function isDigit(char: string): boolean {
  return char >= '0' && char <= '9' && char.length === 1;
}

/** A character that ends an unquoted key: any white space of Unicode. */
export function isSpace(char: string): boolean {
  return char !== END && /^[\s\u0085]$/u.test(char) && char !== '\ufeff';
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

export class Scanner {
  readonly file: string;
  readonly text: string;
  offset = 0;
  private readonly lineStarts: number[] = [0];
  /** The place asked for last, from which later ones on the same line are counted. */
  private last = { line: -1, offset: 0, bytes: 0 };

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
    const nul = text.indexOf('\0');
    if (nul !== -1) this.fail('a NUL character', nul);
    for (let i = this.text.indexOf('\n'); i !== -1; i = this.text.indexOf('\n', i + 1)) this.lineStarts.push(i + 1);
  }

  /** The character `ahead` places from the cursor, END past the text. */
  peek(ahead = 0): string {
    return this.text.charAt(this.offset + ahead);
  }

  /** Takes one character. */
  next(): string {
    const char = this.text.charAt(this.offset);
    this.offset = Math.min(this.offset + 1, this.text.length);
    return char;
  }

  /** Takes the character when it is the next one. */
  take(char: string): boolean {
    if (this.peek() !== char) return false;
    this.offset++;
    return true;
  }

  slice(from: number): string {
    return this.text.slice(from, this.offset);
  }

  skipBlanks(): void {
    while (isBlank(this.peek())) this.offset++;
  }

  skipBlanksAndNewlines(): void {
    while (isBlank(this.peek()) || isNewline(this.peek())) this.offset++;
  }

  /** Skips white space of any kind. */
  skipSpace(): void {
    while (isSpace(this.peek())) this.offset++;
  }

  atComment(): boolean {
    return this.peek() === '#' || (this.peek() === '/' && this.peek(1) === '/');
  }

  skipLine(): void {
    while (this.peek() !== END && !isNewline(this.peek())) this.offset++;
  }

  /** Skips everything that may stand between two keys or two items of a list. */
  skipToNext(): void {
    for (;;) {
      this.skipBlanksAndNewlines();
      if (!this.atComment()) return;
      this.skipLine();
    }
  }

  position(offset = this.offset): Position {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const { last } = this;
    const from = last.line === low && last.offset <= offset ? last : { offset: this.lineStarts[low] ?? 0, bytes: 0 };
    const bytes = from.bytes + utf8Length(this.text.slice(from.offset, offset));
    this.last = { line: low, offset, bytes };
    return { file: this.file, line: low + 1, column: low === 0 ? bytes : bytes + 1 };
  }

  /** The next character as a message shows it. */
  shown(ahead = 0): string {
    const char = this.peek(ahead);
    if (char === END) return 'the end of the file';
    if (isNewline(char)) return 'the end of the line';
    const code = this.text.codePointAt(this.offset + ahead) ?? 0;
    return `'${String.fromCodePoint(code)}'`;
  }

  fail(text: string, offset = this.offset): never {
    const at = this.position(offset);
    throw new ConfigError([{ at, text: `Parse error on line ${at.line}: '${text}'` }]);
  }
}
