/**
 * Bytes as text of one character a byte, the form in which the oracle reasons.
 *
 * The twins of the kernel favour code that is plainly right over code that is fast. A JavaScript string in which every
 * character is one byte (latin1) can be sliced, searched and compared without a word about offsets or buffers.
 */

export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function toBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

const named = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['"', '\\"'],
  ['\\', '\\\\'],
]);

/** One character that is not printable, in the escapes nats-server's error texts use. */
function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** The length of the valid UTF-8 sequence that starts at `at`, 0 when there is none. */
function sequenceLength(text: string, at: number): number {
  for (const length of [1, 2, 3, 4]) {
    const part = text.slice(at, at + length);
    if (part.length < length) return 0;
    const decoded = Buffer.from(part, 'latin1').toString('utf8');
    if (Buffer.from(decoded, 'utf8').toString('latin1') === part && [...decoded].length === 1) return length;
  }
  return 0;
}

/** A subject or queue name in double quotes, as nats-server prints it inside an error. */
export function quoted(text: string): string {
  let result = '';
  for (let at = 0; at < text.length;) {
    const length = sequenceLength(text, at);
    if (length === 0) {
      result += `\\x${text.charCodeAt(at).toString(16).padStart(2, '0')}`;
      at += 1;
      continue;
    }
    const character = Buffer.from(text.slice(at, at + length), 'latin1').toString('utf8');
    at += length;
    const name = named.get(character);
    const shown = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)
      ? Buffer.from(character, 'utf8').toString('latin1')
      : escaped(character);
    result += name ?? shown;
  }
  return `"${result}"`;
}
