// The verbs: how a control line begins, as one 32-bit load with letters folded to upper case. A verb that the connection's kind
// does not have is unknown to it; route and leaf verbs get their rows here.
//
//   verb      bytes compared            what must follow the verb
//   PUB SUB   3 + white space           arguments
//   HPUB      4 + white space           arguments
//   PING PONG 4                         anything up to the line's end is ignored
//   CONNECT   7                         JSON
//   UNSUB     5 + white space           arguments
//   INFO      4                         ignored
//   +OK       3                         ignored
//   -ERR      4 + white space           text

/** Verbs as the parser knows them; the first two are no verb, and not yet one. */
export const VERB_UNKNOWN: u32 = 0;
export const VERB_INCOMPLETE: u32 = 1;
export const VERB_PUB: u32 = 2;
export const VERB_HPUB: u32 = 3;
export const VERB_SUB: u32 = 4;
export const VERB_UNSUB: u32 = 5;
export const VERB_PING: u32 = 6;
export const VERB_PONG: u32 = 7;
export const VERB_CONNECT: u32 = 8;
export const VERB_INFO: u32 = 9;
export const VERB_OK: u32 = 10;
export const VERB_ERR: u32 = 11;

const FOLD: u32 = 0xdfdfdfdf;
const THREE: u32 = 0x00ffffff;
const PUB: u32 = 0x00425550;
const SUB: u32 = 0x00425553;
const HPUB: u32 = 0x42555048;
const PING: u32 = 0x474e4950;
const PONG: u32 = 0x474e4f50;
const CONN: u32 = 0x4e4e4f43;
const ECT: u32 = 0x00544345;
const UNSU: u32 = 0x55534e55;
const INFO: u32 = 0x4f464e49;
/** "+OK" and "-ERR" after folding: the sign loses bit 5. */
const OK: u32 = 0x004b4f0b;
const ERR: u32 = 0x5252450d;

/** Where the arguments of the line that `classify` looked at last may begin. */
export let verbEnd: usize = 0;

// @ts-ignore: decorator
@inline
function isBlank(at: usize): bool {
  const c: u32 = load<u8>(at);
  return c == 0x20 || c == 9;
}

function found(verb: u32, end: usize): u32 {
  verbEnd = end;
  return verb;
}

/** The verb at `at`, VERB_INCOMPLETE when the bytes before `end` may still become one, VERB_UNKNOWN when not. */
export function classify(at: usize, end: usize): u32 {
  const have = <u32>(end - at);
  if (have >= 4) {
    const word = load<u32>(at) & FOLD;
    const three = word & THREE;
    if (three == PUB && isBlank(at + 3)) return found(VERB_PUB, at + 4);
    if (three == SUB && isBlank(at + 3)) return found(VERB_SUB, at + 4);
    if (word == PING) return found(VERB_PING, at + 4);
    if (word == PONG) return found(VERB_PONG, at + 4);
    if (three == OK && load<u8>(at) == 0x2b) return found(VERB_OK, at + 3);
    if (word == INFO) return found(VERB_INFO, at + 4);
    if (have >= 5) {
      if (word == HPUB && isBlank(at + 4)) return found(VERB_HPUB, at + 5);
      if (word == ERR && load<u8>(at) == 0x2d && isBlank(at + 4)) return found(VERB_ERR, at + 5);
    }
    if (have >= 6 && word == UNSU && (load<u8>(at + 4) & 0xdf) == 0x42 && isBlank(at + 5)) return found(VERB_UNSUB, at + 6);
    if (have >= 7 && word == CONN && (load<u32>(at + 4) & FOLD & THREE) == ECT) return found(VERB_CONNECT, at + 7);
  }
  return isBeginning(at, have) ? VERB_INCOMPLETE : VERB_UNKNOWN;
}

const names: usize = memory.data<u8>([
  0x50,
  0x55,
  0x42,
  0x20,
  0,
  0,
  0,
  0, // PUB
  0x48,
  0x50,
  0x55,
  0x42,
  0x20,
  0,
  0,
  0, // HPUB
  0x53,
  0x55,
  0x42,
  0x20,
  0,
  0,
  0,
  0, // SUB
  0x55,
  0x4e,
  0x53,
  0x55,
  0x42,
  0x20,
  0,
  0, // UNSUB
  0x50,
  0x49,
  0x4e,
  0x47,
  0,
  0,
  0,
  0, // PING
  0x50,
  0x4f,
  0x4e,
  0x47,
  0,
  0,
  0,
  0, // PONG
  0x43,
  0x4f,
  0x4e,
  0x4e,
  0x45,
  0x43,
  0x54,
  0, // CONNECT
  0x49,
  0x4e,
  0x46,
  0x4f,
  0,
  0,
  0,
  0, // INFO
  0x2b,
  0x4f,
  0x4b,
  0,
  0,
  0,
  0,
  0, // +OK
  0x2d,
  0x45,
  0x52,
  0x52,
  0x20,
  0,
  0,
  0, // -ERR
]);
const NAMES: u32 = 10;

/** Whether `have` bytes are the beginning of some verb, not all of it. */
function isBeginning(at: usize, have: u32): bool {
  for (let i: u32 = 0; i < NAMES; i++) {
    const name = names + ((<usize>i) << 3);
    let k: u32 = 0;
    for (; k < have; k++) {
      const want: u32 = load<u8>(name + k);
      let got: u32 = load<u8>(at + k);
      if (got >= 0x61 && got <= 0x7a) got -= 0x20;
      if (!want || got != want) break;
    }
    if (k == have) return true;
  }
  return false;
}
