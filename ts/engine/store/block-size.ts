// At which size a block is full: nats-server's figures, so that directories look alike whoever wrote them. Readers take any size.

import type { StreamOptions } from './store.ts';

const MIB = 1 << 20;
const LARGE = 8 * MIB;
const MIDDLE = 4 * MIB;
const SMALL = 32_000;
const LARGEST_ENCRYPTED = 2 * MIB;

function plainLimit(retention: StreamOptions['retention'], maxBytes: number): number {
  if (maxBytes <= 0) return retention === 'limits' ? LARGE : MIDDLE;
  const quarter = Math.ceil((Math.floor(maxBytes / 4) + 1) / 100) * 100;
  if (quarter <= SMALL) return SMALL;
  return quarter >= LARGE ? LARGE : MIDDLE;
}

/** Bytes beyond which the next block begins. */
export function blockLimit(retention: StreamOptions['retention'], maxBytes: number, encrypted: boolean): number {
  const limit = plainLimit(retention, maxBytes);
  return encrypted ? Math.min(limit, LARGEST_ENCRYPTED) : limit;
}
