// The mappings of all accounts, from the options into the kernel.

import type { AccountRegistry } from '../../core/account/registry.ts';
import { compileMappings } from '../../core/subject/mappings.ts';
import type { Random } from '../../ports/random.ts';
import type { KernelAccounts } from '../broker/accounts.ts';

/** Gives every account of the registry the mappings it is configured with; none takes away those it had. */
export function setMappers(registry: AccountRegistry, accounts: KernelAccounts, cluster: string, random: Random): void {
  for (const account of registry.all()) {
    const mapper = account.mappings.length === 0 ? undefined : compileMappings(account.mappings, cluster, random);
    accounts.setMapper(account.name, mapper);
  }
}
