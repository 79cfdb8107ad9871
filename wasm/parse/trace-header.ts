// Whether a message asks for its way to be told: one of its headers is `Nats-Trace-Dest`, or, in an account that wants to hear of
// such messages, `traceparent` in any case.

/** `Nats-Tra` and `ce-Dest:` as little-endian words. */
const NATS_TRA: u64 = 0x6172542d7374614e;
const CE_DEST: u64 = 0x3a747365442d6563;
const NAME_LENGTH: u32 = 16;
const LINE_FEED: u32 = 10;
/** `traceparent:`, in lower case, as little-endian words. */
const TRACEPAR: u64 = 0x7261706563617274;
const ENT: u32 = 0x3a746e65;
const LOWER_CASE: u64 = 0x2020202020202020;
const PARENT_LENGTH: u32 = 12;

/** Looks through a header block for a line that begins with the name. */
export function asksForTrace(headers: usize, length: u32): bool {
  if (length <= NAME_LENGTH) return false;
  const end = headers + length - NAME_LENGTH;
  for (let at = headers; at < end; at++) {
    if (<u32>load<u8>(at) == LINE_FEED && load<u64>(at, 1) == NATS_TRA && load<u64>(at, 9) == CE_DEST) return true;
  }
  return false;
}

/** Looks for a line that begins with `traceparent:`. */
export function hasTraceParent(headers: usize, length: u32): bool {
  if (length <= PARENT_LENGTH) return false;
  const end = headers + length - PARENT_LENGTH;
  for (let at = headers; at < end; at++) {
    if (<u32>load<u8>(at) != LINE_FEED || (load<u64>(at, 1) | LOWER_CASE) != TRACEPAR) continue;
    if ((load<u32>(at, 9) | (<u32>LOWER_CASE)) == (ENT | (<u32>LOWER_CASE))) return true;
  }
  return false;
}
