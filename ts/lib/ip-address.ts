// IP addresses as bytes and as text, as Go reads and writes them.
// Kept true: an IPv4 address written as IPv6 is the IPv4 address; what is formatted can be parsed, and is the same address.

/** Four bytes or sixteen; an IPv4 address written as IPv6 is the IPv4 address. */
export function parseAddress(text: string): readonly number[] | undefined {
  if (/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) {
    const bytes = text.split('.').map(Number);
    return bytes.every((byte) => byte < 256) ? bytes : undefined;
  }
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted === null ? [] : (parseAddress(dotted[2] ?? '') ?? [NaN]);
  const groups = wordsOf(dotted === null ? text : (dotted[1] ?? '').replace(/([^:]):$/, '$1'), 8 - tail.length / 2);
  if (groups === undefined || tail.some(Number.isNaN)) return undefined;
  const bytes = [...groups.flatMap((word) => [word >> 8, word & 255]), ...tail];
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return isMapped ? bytes.slice(12) : bytes;
}

/** So many 16-bit words, with one `::` for zeros. */
function wordsOf(text: string, wanted: number): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [before = [], after] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const zeros = wanted - before.length - (after?.length ?? 0);
  if (after === undefined ? zeros !== 0 : zeros < 1) return undefined;
  const words = [...before, ...Array.from({ length: zeros }, () => '0'), ...(after ?? [])];
  return words.every((word) => /^[\da-f]{1,4}$/i.test(word)) ? words.map((word) => parseInt(word, 16)) : undefined;
}

/** As RFC 5952 has it: lower case, no leading zeros, the first of the longest runs of zeros left out. */
export function formatAddress(bytes: ArrayLike<number>): string {
  const at = (index: number): number => bytes[index] ?? 0;
  const isMapped = bytes.length === 16 && at(10) === 255 && at(11) === 255 && noneSet(bytes, 10);
  if (bytes.length === 4 || isMapped) {
    const start = bytes.length - 4;
    return [0, 1, 2, 3].map((index) => at(start + index)).join('.');
  }
  const words = Array.from({ length: 8 }, (_, index) => ((at(2 * index) << 8) | at(2 * index + 1)).toString(16));
  let gap = { at: 0, length: 1 };
  for (let index = 0, length = 0; index < 8; index++) {
    length = words[index] === '0' ? length + 1 : 0;
    if (length > gap.length) gap = { at: index - length + 1, length };
  }
  if (gap.length === 1) return words.join(':');
  return `${words.slice(0, gap.at).join(':')}::${words.slice(gap.at + gap.length).join(':')}`;
}

function noneSet(bytes: ArrayLike<number>, end: number): boolean {
  for (let index = 0; index < end; index++) if (bytes[index] !== 0) return false;
  return true;
}
