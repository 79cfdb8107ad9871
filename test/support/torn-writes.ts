/** What a power failure leaves of writes that were under way. */

const SECTOR = 512;

/** What a disk may have of a file whose newest writes were not synced: each sector old or new, bits flipped in what was never promised. */
export function torn(seed: number): (synced: Buffer, newest: Buffer) => Buffer {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return (synced, newest) => {
    const left = Buffer.alloc(random(2) === 0 ? newest.length : Math.min(newest.length, synced.length + random(4 * SECTOR)));
    synced.copy(left);
    for (let at = 0; at < left.length; at += SECTOR) {
      if (random(2) === 0) newest.copy(left, at, at, Math.min(at + SECTOR, left.length));
    }
    const behind = left.length - synced.length;
    if (behind > 0 && random(2) === 0) {
      const at = synced.length + random(behind);
      left[at] = (left[at] ?? 0) ^ (1 << random(8));
    }
    return left;
  };
}
