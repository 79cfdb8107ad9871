// Control lines: where they end, and what their arguments are. Sixteen bytes are looked at in one step: a bit for each space,
// tab, CR and LF; the bits cut the line into arguments.
//
//   argument i: address argumentAt(i), length argumentLength(i); at most MOST are kept, more are counted.

/** Arguments kept; a line with more has too many for any verb. */
const MOST: u32 = 6;

const starts: usize = memory.data(32, 4);
const lengths: usize = memory.data(32, 4);

/** Where the next operation or the payload begins: behind the LF of the line read last. */
export let lineEnd: usize = 0;
/** Arguments of the line read last. */
export let argumentCount: u32 = 0;

/** Address of argument `i`. */
// @ts-ignore: decorator
@inline
export function argumentAt(i: u32): usize {
  return <usize>load<u32>(starts + ((<usize>i) << 2));
}

/** Length of argument `i`. */
// @ts-ignore: decorator
@inline
export function argumentLength(i: u32): u32 {
  return load<u32>(lengths + ((<usize>i) << 2));
}

// @ts-ignore: decorator
@inline
function keep(start: usize, end: usize): void {
  if (end <= start) return;
  if (argumentCount < MOST) {
    store<u32>(starts + ((<usize>argumentCount) << 2), <u32>start);
    store<u32>(lengths + ((<usize>argumentCount) << 2), <u32>(end - start));
  }
  argumentCount++;
}

/** Reads the arguments of a line from `at`; false when no LF comes before `end`. */
export function readArguments(at: usize, end: usize): bool {
  const space = i8x16.splat(0x20);
  const tab = i8x16.splat(9);
  const cr = i8x16.splat(13);
  const lf = i8x16.splat(10);
  let start = at;
  argumentCount = 0;
  for (let base = at; base < end; base += 16) {
    const bytes = v128.load(base);
    const isLf = i8x16.eq(bytes, lf);
    const blank = v128.or(v128.or(i8x16.eq(bytes, space), i8x16.eq(bytes, tab)), v128.or(i8x16.eq(bytes, cr), isLf));
    let bits = <u32>i8x16.bitmask(blank);
    while (bits) {
      const i = base + <usize>ctz(bits);
      if (i >= end) return false;
      keep(start, i);
      if (load<u8>(i) == 10) {
        lineEnd = i + 1;
        return true;
      }
      start = i + 1;
      bits &= bits - 1;
    }
  }
  return false;
}

/** Address of the first LF in a range, or `end`. */
export function findLineFeed(at: usize, end: usize): usize {
  const lf = i8x16.splat(10);
  for (let base = at; base < end; base += 16) {
    const bits = <u32>i8x16.bitmask(i8x16.eq(v128.load(base), lf));
    if (bits) return min(base + <usize>ctz(bits), end);
  }
  return end;
}

/** First byte from `at` on that is neither space nor tab, or `end`. */
export function skipBlanks(at: usize, end: usize): usize {
  while (at < end && (load<u8>(at) == 0x20 || load<u8>(at) == 9)) at++;
  return at;
}
