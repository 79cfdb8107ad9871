/**
 * HighwayHash-64 in plain bigints, lane by lane as its authors describe it: the twin of wasm/record/highway.ts.
 */

const MASK = (1n << 64n) - 1n;
const LOW = 0xffff_ffffn;
const START0 = [0xdbe6d5d5fe4cce2fn, 0xa4093822299f31d0n, 0x13198a2e03707344n, 0x243f6a8885a308d3n];
const START1 = [0x3bd39e10cb0ef593n, 0xc0acf169b5f18a8cn, 0xbe5466cf34e90c6cn, 0x452821e638d01377n];

type Lanes = [bigint, bigint, bigint, bigint];

interface State {
  readonly v0: Lanes;
  readonly v1: Lanes;
  readonly mul0: Lanes;
  readonly mul1: Lanes;
}

const swap = (x: bigint): bigint => (x >> 32n) | ((x & LOW) << 32n);

function lanesOf(bytes: Uint8Array): Lanes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  return [0, 8, 16, 24].map((at) => view.getBigUint64(at, true)) as Lanes;
}

/** What a pair of lanes adds to another pair: bytes of both, mixed. */
function zipper(odd: bigint, even: bigint): [bigint, bigint] {
  const a = (i: number): bigint => (even >> BigInt(8 * i)) & 0xffn;
  const b = (i: number): bigint => (odd >> BigInt(8 * i)) & 0xffn;
  const join = (bytes: readonly bigint[]): bigint => bytes.reduce((sum, byte, i) => sum | (byte << BigInt(8 * i)), 0n);
  return [join([a(3), b(4), a(2), a(5), b(6), a(1), b(7), a(0)]), join([b(3), a(4), b(2), b(5), b(1), a(6), b(0), a(7)])];
}

function mix(to: Lanes, from: Lanes): void {
  for (const i of [0, 2] as const) {
    const [even, odd] = zipper(from[i + 1] as bigint, from[i] as bigint);
    to[i] = (to[i] + even) & MASK;
    to[i + 1] = ((to[i + 1] as bigint) + odd) & MASK;
  }
}

function update({ v0, v1, mul0, mul1 }: State, packet: Lanes): void {
  for (const i of [0, 1, 2, 3] as const) {
    v1[i] = (v1[i] + mul0[i] + packet[i]) & MASK;
    mul0[i] ^= (v1[i] & LOW) * (v0[i] >> 32n);
    v0[i] = (v0[i] + mul1[i]) & MASK;
    mul1[i] ^= (v0[i] & LOW) * (v1[i] >> 32n);
  }
  mix(v0, v1);
  mix(v1, v0);
}

function updateRemainder(state: State, rest: Uint8Array): void {
  const length = rest.length;
  const n = BigInt(length);
  const rotate = (half: bigint): bigint => ((half << n) | (half >> (32n - n))) & LOW;
  for (const i of [0, 1, 2, 3] as const) {
    state.v0[i] = (state.v0[i] + (n << 32n) + n) & MASK;
    state.v1[i] = rotate(state.v1[i] & LOW) | (rotate(state.v1[i] >> 32n) << 32n);
  }
  const packet = new Uint8Array(32);
  const whole = length & ~3;
  packet.set(rest.subarray(0, whole));
  if (length & 16) packet.set(rest.subarray(length - 4), 28);
  else if (length & 3) {
    const odd = length & 3;
    packet[16] = rest[whole] ?? 0;
    packet[17] = rest[whole + (odd >> 1)] ?? 0;
    packet[18] = rest[whole + odd - 1] ?? 0;
  }
  update(state, lanesOf(packet));
}

/** The checksum of `data` under a key of 32 bytes. */
export function highwayHash(key: Uint8Array, data: Uint8Array): bigint {
  const keys = lanesOf(key);
  const state: State = {
    v0: keys.map((lane, i) => (START0[i] as bigint) ^ lane) as Lanes,
    v1: keys.map((lane, i) => (START1[i] as bigint) ^ swap(lane)) as Lanes,
    mul0: [...START0] as Lanes,
    mul1: [...START1] as Lanes,
  };
  const whole = data.length & ~31;
  for (let at = 0; at < whole; at += 32) update(state, lanesOf(data.subarray(at, at + 32)));
  if (whole < data.length) updateRemainder(state, data.subarray(whole));
  for (let i = 0; i < 4; i++) {
    const [a, b, c, d] = state.v0;
    update(state, [swap(c), swap(d), swap(a), swap(b)]);
  }
  return (state.v0[0] + state.v1[0] + state.mul0[0] + state.mul1[0]) & MASK;
}
