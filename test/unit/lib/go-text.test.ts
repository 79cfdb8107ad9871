/** Numbers, booleans, quotes and JSON text come out as Go's strconv and encoding/json would have them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBool, parseInteger, parseUnsigned, type Parsed } from '../../../ts/lib/go-parse.ts';
import { quoteBytes, quoteText } from '../../../ts/lib/go-quote.ts';
import { jsonText } from '../../../ts/lib/json-text.ts';

const parses: readonly (readonly [(text: string) => Parsed<unknown>, string, unknown])[] = [
  [parseBool, 'T', true],
  [parseBool, 'False', false],
  [parseBool, 'yes', 'strconv.ParseBool: parsing "yes": invalid syntax'],
  [parseInteger, '-12', -12],
  [parseInteger, '+3', 3],
  [parseInteger, '1.5', 'strconv.Atoi: parsing "1.5": invalid syntax'],
  [parseInteger, '9223372036854775808', 'strconv.Atoi: parsing "9223372036854775808": value out of range'],
  [parseUnsigned, '18446744073709551615', 2 ** 64],
  [parseUnsigned, '18446744073709551616', 'strconv.ParseUint: parsing "18446744073709551616": value out of range'],
  [parseUnsigned, '+1', 'strconv.ParseUint: parsing "+1": invalid syntax'],
];

for (const [parse, text, expected] of parses) {
  test(`${parse.name} of ${text}`, () => {
    const parsed = parse(text);
    assert.equal('error' in parsed ? parsed.error : parsed.value, expected);
  });
}

const quotes: readonly (readonly [bytes: readonly number[], quoted: string])[] = [
  [[0x61, 0x0d, 0x0a, 0x22, 0x5c, 0x00, 0x7f], '"a\\r\\n\\"\\\\\\x00\\x7f"'],
  [[0xc3, 0xa9], '"é"'],
  [[0x80, 0xc3], '"\\x80\\xc3"'],
  [[0xed, 0xa0, 0x80], '"\\xed\\xa0\\x80"'],
  [[0xe2, 0x80, 0xa8], '"\\u2028"'],
  [[0xef, 0xbb, 0xbf], '"\\ufeff"'],
  [[0xf0, 0x9f, 0x98, 0x80], '"😀"'],
  [[0xf3, 0xa0, 0x80, 0x81], '"\\U000e0001"'],
];

for (const [bytes, expected] of quotes) {
  test(`quoting ${bytes.map((byte) => byte.toString(16)).join(' ')}`, () => {
    assert.equal(quoteBytes(Uint8Array.from(bytes)), expected);
  });
}

test('text is quoted as its UTF-8 bytes', () => {
  assert.equal(quoteText('a "b"\t'), '"a \\"b\\"\\t"');
});

test('JSON keeps key order, leaves out undefined, escapes HTML and prints big integers whole', () => {
  const value = { z: 18446744073709551615n, a: undefined, text: '<&>\u2028"', list: [], map: {}, nested: [{ b: null }, 1.5] };
  assert.equal(
    jsonText(value),
    '{"z":18446744073709551615,"text":"\\u003c\\u0026\\u003e\\u2028\\"","list":[],"map":{},"nested":[{"b":null},1.5]}',
  );
});

test('indented JSON is what JSON.stringify prints where both can', () => {
  const value = { a: 1, list: [1, { b: 'x' }, []], empty: {}, deep: { deeper: [true, null] } };
  assert.equal(jsonText(value, '  '), JSON.stringify(value, null, 2));
});
