// The source of signed accounts that the options ask for, with the real network and disk behind it.

import type { Options } from '../core/config/options.ts';
import { MemorySource, NoSource } from '../engine/trust/account-source.ts';
import type { AccountSource } from '../engine/trust/account-source.ts';

export function accountSource({ resolver }: Options): AccountSource {
  switch (resolver?.type) {
    case 'memory':
      return new MemorySource();
    default:
      return new NoSource();
  }
}
