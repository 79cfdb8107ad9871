// Bytes as Go's %q prints them: a double-quoted line in which everything that is not printable is escaped. Log lines that show what a
// peer sent use it, so that no peer can write control characters or line breaks into an operator's log.

const short: Readonly<Record<number, string>> = {
  0x07: '\\a',
  0x08: '\\b',
  0x09: '\\t',
  0x0a: '\\n',
  0x0b: '\\v',
  0x0c: '\\f',
  0x0d: '\\r',
  0x22: '\\"',
  0x5c: '\\\\',
};

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u;

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** Length of the UTF-8 sequence at `at`, or 0 when the bytes there are none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > bytes.length) return 0;
  for (let index = at + 1; index < at + length; index++) if (((bytes[index] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  const overlong = (lead === 0xe0 && second < 0xa0) || (lead === 0xf0 && second < 0x90);
  const outside = (lead === 0xed && second > 0x9f) || (lead === 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}

export function quoteBytes(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let out = '"';
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x80) {
      out += short[byte] ?? (byte < 0x20 || byte === 0x7f ? `\\x${hex(byte, 2)}` : String.fromCharCode(byte));
      at++;
      continue;
    }
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      out += `\\x${hex(byte, 2)}`;
      at++;
      continue;
    }
    const char = decoder.decode(bytes.subarray(at, at + length));
    const point = char.codePointAt(0) ?? 0xfeff;
    at += length;
    if (printable.test(char)) out += char;
    else out += point > 0xffff ? `\\U${hex(point, 8)}` : `\\u${hex(point, 4)}`;
  }
  return `${out}"`;
}

export function quoteText(text: string): string {
  return quoteBytes(new TextEncoder().encode(text));
}
