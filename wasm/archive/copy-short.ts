// Copies as S2 makes them: mostly of a few bytes, for which the start of memory.copy would take longer than the copy.

import { copy } from '../lib/bytes';

/** Longer ones are left to memory.copy. */
const SHORT: usize = 64;

/** Copies `length` bytes, ranges not overlapping; may read and write up to SLACK bytes more. */
// @ts-ignore: decorator
@inline
export function copyShort(to: usize, from: usize, length: usize): void {
  if (length > SHORT) {
    copy(to, from, length);
    return;
  }
  v128.store(to, v128.load(from));
  if (length <= 16) return;
  v128.store(to, v128.load(from, 16), 16);
  if (length <= 32) return;
  v128.store(to, v128.load(from, 32), 32);
  v128.store(to, v128.load(from, 48), 48);
}
