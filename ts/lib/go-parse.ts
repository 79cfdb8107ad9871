// Booleans and integers as Go's strconv reads them, with the texts it fails with: query parameters of the monitoring endpoints are
// judged by these rules, and tools show the texts to people. A result is either a value or an error, never an exception.

export type Parsed<T> = { readonly value: T } | { readonly error: string };

const trueWords: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const falseWords: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

const maxInt64 = 9223372036854775807n;
const maxUint64 = 18446744073709551615n;

function failure(call: string, text: string, why: string): { error: string } {
  return { error: `strconv.${call}: parsing ${JSON.stringify(text)}: ${why}` };
}

export function parseBool(text: string): Parsed<boolean> {
  if (trueWords.has(text)) return { value: true };
  if (falseWords.has(text)) return { value: false };
  return failure('ParseBool', text, 'invalid syntax');
}

/** A signed 64-bit integer; beyond 2^53 the value is the nearest number. */
export function parseInteger(text: string): Parsed<number> {
  if (!/^[+-]?\d+$/.test(text)) return failure('Atoi', text, 'invalid syntax');
  const exact = BigInt(text.replace(/^\+/, ''));
  if (exact > maxInt64 || exact < -maxInt64 - 1n) return failure('Atoi', text, 'value out of range');
  return { value: Number(exact) };
}

/** An unsigned 64-bit integer; beyond 2^53 the value is the nearest number. */
export function parseUnsigned(text: string): Parsed<number> {
  if (!/^\d+$/.test(text)) return failure('ParseUint', text, 'invalid syntax');
  const exact = BigInt(text);
  return exact > maxUint64 ? failure('ParseUint', text, 'value out of range') : { value: Number(exact) };
}
