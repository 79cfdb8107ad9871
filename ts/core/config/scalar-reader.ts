// Reads the values of the configuration language that have no inside: numbers with units, dates, quoted, block and bare strings.
// The grammar is nats-server's, found by trying it: something that begins with a digit is a number, a size, a date or an
// address, and turns into a plain string when it is none of them.
// Kept true: a reader leaves the cursor on the first character after its value, and leaves it to the caller what may follow.

import { END, isBlank, isDigit, isNewline } from './scanner.ts';
import type { Scanner } from './scanner.ts';

export type Scalar =
  | { kind: 'integer'; exact: bigint }
  | { kind: 'float'; value: number }
  | { kind: 'datetime'; value: string }
  /** `bare`: without quotes and escapes, so that it may be a boolean or a variable. */
  | { kind: 'string'; value: string; bare: boolean };

const UNIT_POWER: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5, e: 6 };
const INT64_MAX = 9_223_372_036_854_775_807n;
const INT64_MIN = -9_223_372_036_854_775_808n;

function endsString(char: string): boolean {
  return char === END || isNewline(char) || isBlank(char) || char === ',' || char === ';' || char === '}' || char === ']';
}

function endsNumber(char: string): boolean {
  return char === END || isNewline(char) || isBlank(char) || char === ',' || char === ';' || char === '}';
}

/** One escape after its backslash, which was taken. `\xHH` gives a byte, which may be part of a UTF-8 character. */
function readEscape(scanner: Scanner, bytes: number[]): void {
  const char = scanner.next();
  const simple: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, '"': 34, '\\': 92 };
  if (char === 'x') {
    const digits = scanner.peek() + scanner.peek(1);
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) scanner.fail('two hexadecimal digits must follow \\x');
    scanner.offset += 2;
    bytes.push(Number.parseInt(digits, 16));
    return;
  }
  const byte = char === END ? undefined : simple[char];
  if (byte === undefined) scanner.fail(`'\\${char}' is no escape; those allowed are \\xHH, \\t, \\n, \\r, \\" and \\\\`);
  bytes.push(byte);
}

/** Collects text and escaped bytes in order; only strings with `\x` escapes pay for the decoding. */
class TextParts {
  private readonly encoder = new TextEncoder();
  private bytes: number[] = [];

  addText(text: string): void {
    for (const byte of this.encoder.encode(text)) this.bytes.push(byte);
  }

  addEscape(scanner: Scanner): void {
    readEscape(scanner, this.bytes);
  }

  finish(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(this.bytes));
  }
}

/** `'...'`: everything up to the closing quote. The opening one was taken. */
export function readSingleQuoted(scanner: Scanner): string {
  const start = scanner.offset;
  const end = scanner.text.indexOf("'", start);
  if (end === -1) scanner.fail('a string that begins here is not closed', start - 1);
  scanner.offset = end + 1;
  return scanner.text.slice(start, end);
}

/** `"..."` with escapes. The opening quote was taken. */
export function readDoubleQuoted(scanner: Scanner): string {
  const start = scanner.offset;
  const parts = new TextParts();
  let plain = start;
  for (;;) {
    const char = scanner.peek();
    if (char === END) scanner.fail('a string that begins here is not closed', start - 1);
    if (char === '"' || char === '\\') parts.addText(scanner.slice(plain));
    scanner.offset++;
    if (char === '"') return parts.finish();
    if (char === '\\') {
      parts.addEscape(scanner);
      plain = scanner.offset;
    }
  }
}

/** `( ... )` over several lines, verbatim; the closing parenthesis stands alone at the start of its line. */
export function readBlockString(scanner: Scanner): string {
  const start = scanner.offset;
  for (let at = scanner.text.indexOf('\n)', start); at !== -1; at = scanner.text.indexOf('\n)', at + 1)) {
    const after = scanner.text.charAt(at + 2);
    if (after !== END && after !== '\n') continue;
    scanner.offset = at + 2;
    return scanner.text.slice(start, at + 1);
  }
  return scanner.fail("a block that begins here is not closed by a ')' alone on its line", start - 1);
}

/** A string without quotes. `from` is where it began: a number that turned out to be none continues here. */
export function readBareString(scanner: Scanner, from = scanner.offset): Scalar {
  const parts = new TextParts();
  let plain = from;
  let bare = true;
  for (;;) {
    const char = scanner.peek();
    if (endsString(char) || char === "'") {
      if (bare) {
        const value = scanner.slice(from);
        return { kind: 'string', value, bare: !scanner.take("'") };
      }
      parts.addText(scanner.slice(plain));
      scanner.take("'");
      return { kind: 'string', value: parts.finish(), bare };
    }
    if (char === '\\') {
      parts.addText(scanner.slice(plain));
      scanner.offset++;
      parts.addEscape(scanner);
      plain = scanner.offset;
      bare = false;
    } else {
      scanner.offset++;
    }
  }
}

function skipDigits(scanner: Scanner): void {
  while (isDigit(scanner.peek())) scanner.offset++;
}

/** `YYYY-MM-DDTHH:MM:SSZ`; the cursor is on the dash after the year. */
function readDatetime(scanner: Scanner, start: number): Scalar {
  if (scanner.offset - start !== 4) scanner.fail('a date must be complete, like 2026-01-31T23:59:59Z', start);
  for (const wanted of '-dd-ddTdd:dd:ddZ') {
    const found = scanner.peek();
    if (wanted === 'd' ? !isDigit(found) : found !== wanted) {
      scanner.fail(`expected ${wanted === 'd' ? 'a digit' : `'${wanted}'`} in a date, not ${scanner.shown()}`);
    }
    scanner.offset++;
  }
  const value = scanner.slice(start);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = value.split(/[-T:Z]/).map(Number);
  if (!isCalendarTime(year, month, day, hour, minute, second)) scanner.fail(`there is no such time as ${value}`, start);
  return { kind: 'datetime', value };
}

function isCalendarTime(year: number, month: number, day: number, hour: number, minute: number, second: number): boolean {
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days;
}

function integer(scanner: Scanner, start: number, digits: string, factor: bigint): Scalar {
  // Longer texts are out of range whatever their unit, and slow to convert.
  const exact = digits.replace(/^-?0+/, '').length > 20 ? INT64_MAX + 1n : BigInt(digits) * factor;
  if (exact > INT64_MAX || exact < INT64_MIN) scanner.fail(`integer ${scanner.slice(start)} is out of the range`, start);
  return { kind: 'integer', exact };
}

/** `k kb ki kib` and so on; the cursor is on the unit's letter. Something longer, like `10mbit`, is a string. */
function readSize(scanner: Scanner, start: number): Scalar {
  const digits = scanner.slice(start);
  const power = UNIT_POWER[scanner.next().toLowerCase()] ?? 0;
  const isBinary = /^[ib]/i.test(scanner.peek());
  if (/^i/i.test(scanner.peek()) && /^b/i.test(scanner.peek(1))) scanner.offset++;
  if (isBinary) scanner.offset++;
  if (endsNumber(scanner.peek()) || isDigit(scanner.peek())) {
    return integer(scanner, start, digits, (isBinary ? 1024n : 1000n) ** BigInt(power));
  }
  return readBareString(scanner, start);
}

/** `1.5`, or with a second dot an address like 127.0.0.1:4222; the cursor is on the first dot. */
function readFloatOrAddress(scanner: Scanner, start: number): Scalar {
  scanner.offset++;
  if (!isDigit(scanner.peek())) scanner.fail(`a digit must follow the '.' of a number, not ${scanner.shown()}`);
  skipDigits(scanner);
  if (scanner.peek() !== '.') return { kind: 'float', value: Number(scanner.slice(start)) };
  while (isDigit(scanner.peek()) || ['.', ':', '-'].includes(scanner.peek())) scanner.offset++;
  return { kind: 'string', value: scanner.slice(start), bare: false };
}

/** Whatever begins with a digit or a minus sign. */
export function readNumeric(scanner: Scanner): Scalar {
  const start = scanner.offset;
  const isNegative = scanner.take('-');
  if (isNegative && !isDigit(scanner.peek())) scanner.fail(`a digit must follow '-', not ${scanner.shown()}`);
  skipDigits(scanner);
  const char = scanner.peek();
  if (char === '-' && !isNegative) return readDatetime(scanner, start);
  if (char === '.') return readFloatOrAddress(scanner, start);
  if (char !== END && UNIT_POWER[char.toLowerCase()] !== undefined) return readSize(scanner, start);
  if (isNegative || endsNumber(char) || char === ']') return integer(scanner, start, scanner.slice(start), 1n);
  scanner.offset++;
  return readBareString(scanner, start);
}
