// Whether a message asks for its way to be told: one of its headers is `Nats-Trace-Dest`.

/** `Nats-Tra` and `ce-Dest:` as little-endian words. */
const NATS_TRA: u64 = 0x6172542d7374614e;
const CE_DEST: u64 = 0x3a747365442d6563;
const NAME_LENGTH: u32 = 16;
const LINE_FEED: u32 = 10;

/** Looks through a header block for a line that begins with the name. */
export function asksForTrace(headers: usize, length: u32): bool {
  if (length <= NAME_LENGTH) return false;
  const end = headers + length - NAME_LENGTH;
  for (let at = headers; at < end; at++) {
    if (<u32>load<u8>(at) == LINE_FEED && load<u64>(at, 1) == NATS_TRA && load<u64>(at, 9) == CE_DEST) return true;
  }
  return false;
}
