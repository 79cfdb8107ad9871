// HighwayHash-64 in SIMD: the checksum of every record, index and metadata file. The four 64-bit lanes of each state vector live
// in two v128: `...0` holds lanes 0 and 1, `...1` holds lanes 2 and 3.
//
// The input is given as two ranges, because a record's hashed bytes are not in one piece (record.ts): `head` must be a multiple
// of 32 bytes long, `tail` any length. Loads may run past the end of `tail` by up to 31 bytes.

// @ts-ignore: decorator
@lazy const MUL0_0: v128 = i64x2(0xdbe6d5d5fe4cce2f, 0xa4093822299f31d0);
// @ts-ignore: decorator
@lazy const MUL0_1: v128 = i64x2(0x13198a2e03707344, 0x243f6a8885a308d3);
// @ts-ignore: decorator
@lazy const MUL1_0: v128 = i64x2(0x3bd39e10cb0ef593, 0xc0acf169b5f18a8c);
// @ts-ignore: decorator
@lazy const MUL1_1: v128 = i64x2(0xbe5466cf34e90c6c, 0x452821e638d01377);

const lastPacket: usize = memory.data(64, 16);

/** The byte shuffle between lane pairs that the algorithm calls zipper merge. */
// @ts-ignore: decorator
@inline
function zipper(v: v128): v128 {
  return i8x16.shuffle(v, v, 3, 12, 2, 5, 14, 1, 15, 0, 11, 4, 10, 13, 9, 6, 8, 7);
}

/** Low 32 bits of each lane of `a` times high 32 bits of each lane of `b`. */
// @ts-ignore: decorator
@inline
function multiply(a: v128, b: v128): v128 {
  return i64x2.extmul_low_i32x4_u(
    i8x16.shuffle(a, a, 0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11),
    i8x16.shuffle(b, b, 4, 5, 6, 7, 12, 13, 14, 15, 4, 5, 6, 7, 12, 13, 14, 15),
  );
}

/** Swaps the 32-bit halves of each lane. */
// @ts-ignore: decorator
@inline
function swapHalves(v: v128): v128 {
  return i8x16.shuffle(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
}

/** The last packet of an input whose length is no multiple of 32, laid out as the algorithm asks. */
function layLastPacket(from: usize, length: u32): void {
  const whole = length & ~3;
  const odd = length & 3;
  let at = from;
  let to = lastPacket;
  v128.store(lastPacket, i64x2.splat(0));
  v128.store(lastPacket, i64x2.splat(0), 16);
  for (const end = at + whole - 7; at < end; at += 8, to += 8) store<u64>(to, load<u64>(at));
  if (whole & 4) store<u32>(to, load<u32>(at));
  if (length & 16) {
    store<u32>(lastPacket, load<u32>(from + length - 4), 28);
  } else if (odd) {
    store<u8>(lastPacket, load<u8>(from + whole), 16);
    store<u8>(lastPacket, load<u8>(from + whole + (odd >> 1)), 17);
    store<u8>(lastPacket, load<u8>(from + whole + odd - 1), 18);
  }
}

/** The checksum of `head` followed by `tail` under the 32-byte key at `key`. */
export function highwayHash(key: usize, head: usize, headLength: u32, tail: usize, tailLength: u32): u64 {
  const key0 = v128.load(key);
  const key1 = v128.load(key, 16);
  let mul00 = MUL0_0;
  let mul01 = MUL0_1;
  let mul10 = MUL1_0;
  let mul11 = MUL1_1;
  let v00 = v128.xor(mul00, key0);
  let v01 = v128.xor(mul01, key1);
  let v10 = v128.xor(mul10, swapHalves(key0));
  let v11 = v128.xor(mul11, swapHalves(key1));
  let at = head;
  let end = head + headLength;
  const tailEnd = tail + (tailLength & ~31);
  const rest = tailLength & 31;
  // 0: head, 1: tail, 2: its last packet, 3..6: finalization, 7: done
  let phase = 0;
  for (;;) {
    let p0: v128;
    let p1: v128;
    if (at < end) {
      p0 = v128.load(at);
      p1 = v128.load(at, 16);
      at += 32;
    } else if (phase == 0) {
      phase = 1;
      at = tail;
      end = tailEnd;
      continue;
    } else if (phase == 1 && rest) {
      phase = 2;
      layLastPacket(tailEnd, rest);
      const add = i64x2.splat(((<i64>rest) << 32) + <i64>rest);
      v00 = i64x2.add(v00, add);
      v01 = i64x2.add(v01, add);
      v10 = v128.or(i32x4.shl(v10, rest), i32x4.shr_u(v10, 32 - rest));
      v11 = v128.or(i32x4.shl(v11, rest), i32x4.shr_u(v11, 32 - rest));
      p0 = v128.load(lastPacket);
      p1 = v128.load(lastPacket, 16);
    } else {
      if (phase < 2) phase = 2;
      if (++phase == 7) break;
      p0 = swapHalves(v01);
      p1 = swapHalves(v00);
    }
    v10 = i64x2.add(v10, i64x2.add(mul00, p0));
    v11 = i64x2.add(v11, i64x2.add(mul01, p1));
    mul00 = v128.xor(mul00, multiply(v10, v00));
    mul01 = v128.xor(mul01, multiply(v11, v01));
    v00 = i64x2.add(v00, mul10);
    v01 = i64x2.add(v01, mul11);
    mul10 = v128.xor(mul10, multiply(v00, v10));
    mul11 = v128.xor(mul11, multiply(v01, v11));
    v00 = i64x2.add(v00, zipper(v10));
    v01 = i64x2.add(v01, zipper(v11));
    v10 = i64x2.add(v10, zipper(v00));
    v11 = i64x2.add(v11, zipper(v01));
  }
  return i64x2.extract_lane(i64x2.add(i64x2.add(v00, v10), i64x2.add(mul00, mul10)), 0);
}
