// What the kernel reads of a publish's headers: whether one of them asks for a decision (they begin with `Nats-`), and its
// message id, the only one of them it can deal with itself.

/** `Nats` as a little-endian word. */
const NATS: u32 = 0x7374614e;
/** `-Msg-Id:` as a little-endian word. */
const MSG_ID: u64 = 0x3a64492d67734d2d;
const DASH: u32 = 0x2d;
const LINE_FEED: u32 = 10;
const RETURN: u32 = 13;
const SPACE: u32 = 32;

/** The message id of the headers read last; length 0: none. */
export let idAt: usize = 0;
export let idLength: u32 = 0;

/** Takes the value that begins at `at` as message id; returns where it ends, 0 when it is not plain. */
function takeId(at: usize, end: usize): usize {
  let from = at;
  while (from < end && <u32>load<u8>(from) == SPACE) from++;
  let to = from;
  while (to < end && <u32>load<u8>(to) != RETURN) to++;
  // Where other white space would be cut off, or lines end otherwise, the host reads.
  if (to == end || <u32>load<u8>(to, 1) != LINE_FEED) return 0;
  if (to > from && (<u32>load<u8>(from) <= SPACE || <u32>load<u8>(to - 1) <= SPACE)) return 0;
  idAt = from;
  idLength = <u32>(to - from);
  return to;
}

/** Reads a header block. True: it asks for a decision of the host. */
export function asksForDecision(headers: usize, length: u32): bool {
  idLength = 0;
  const end = headers + length - 5;
  for (let at = headers; at < end; at++) {
    if (<u32>load<u8>(at) != LINE_FEED || load<u32>(at, 1) != NATS || <u32>load<u8>(at, 5) != DASH) continue;
    if (at + 13 > end || load<u64>(at, 5) != MSG_ID || idLength) return true;
    const to = takeId(at + 13, headers + length);
    if (!to) return true;
    at = to;
  }
  return false;
}
