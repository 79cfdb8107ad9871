// The accounts of a server: which exist, what they limit, and how many connections each has.
// Kept true: `$G` and the system account (unless switched off) always exist; a connection counts in exactly the account it joined.
import { inDefaultDomain } from './default-domain.ts';
import type { AccountJetStreamLimits, AccountLimits, AccountOptions, Options, SubjectMapping } from '../config/options.ts';
import { unlimitedAccount, unlimitedJetStream } from '../config/options-auth.ts';
import { DEFAULT_SYSTEM_ACCOUNT, GLOBAL_ACCOUNT } from '../config/options.ts';

export interface Account {
  readonly name: string;
  readonly isSystem: boolean;
  readonly limits: AccountLimits;
  readonly mappings: readonly SubjectMapping[];
  /** Undefined: no JetStream for this account. */
  readonly jetstream: AccountJetStreamLimits | undefined;
  /** By replicas, where an account has limits so; `jetstream` is then what streams of one replica have. */
  readonly tiers?: Readonly<Record<string, AccountJetStreamLimits>>;
}

export type JoinResult = 'ok' | 'maxAccountConnections' | 'unknownAccount';

export interface SessionLimits {
  readonly maxPayload: number;
  readonly maxSubs: number;
}

export interface AccountChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

function systemAccountName(options: Options): string | undefined {
  if (options.systemAccount !== '') return options.systemAccount;
  return options.noSystemAccount ? undefined : DEFAULT_SYSTEM_ACCOUNT;
}

function globalAccount(options: Options, onlyAccount: boolean): Account {
  const jetstream = options.jetstream.enabled && onlyAccount ? unlimitedJetStream() : undefined;
  return { name: GLOBAL_ACCOUNT, isSystem: false, limits: unlimitedAccount(), mappings: options.mappings, jetstream };
}

function configuredAccount(row: AccountOptions, system: string | undefined): Account {
  const { name, limits, mappings, jetstream, jetstreamTiers } = row;
  const tiers = jetstreamTiers === undefined ? {} : { tiers: jetstreamTiers };
  return { name, isSystem: name === system, limits, mappings, jetstream, ...tiers };
}

/** Accounts are those that operators have signed. */
export function isTrusting({ operators, trustedKeys }: Options): boolean {
  return operators.length > 0 || trustedKeys.length > 0;
}

/** Every account the options mean, the global and the system account included. */
export function compileAccounts(options: Options): Map<string, Account> {
  const system = systemAccountName(options);
  const others = [...options.accounts.values()].filter((row) => row.name !== system && row.name !== GLOBAL_ACCOUNT);
  const accounts = new Map<string, Account>();
  accounts.set(GLOBAL_ACCOUNT, globalAccount(options, others.length === 0 && !isTrusting(options)));
  if (system !== undefined) {
    accounts.set(system, { name: system, isSystem: true, limits: unlimitedAccount(), mappings: [], jetstream: undefined });
  }
  for (const row of options.accounts.values()) {
    const account = configuredAccount(row, system);
    if (row.name !== GLOBAL_ACCOUNT) accounts.set(row.name, account);
    else if (account.jetstream !== undefined)
      accounts.set(GLOBAL_ACCOUNT, { ...globalAccount(options, true), jetstream: account.jetstream });
  }
  for (const [name, account] of accounts) accounts.set(name, inDefaultDomain(account, options));
  return accounts;
}

export class AccountRegistry {
  #accounts: Map<string, Account>;
  readonly #connections = new Map<string, number>();

  constructor(options: Options) {
    this.#accounts = compileAccounts(options);
  }

  /** Takes the accounts of new options; connections stay counted under their names. */
  reload(options: Options): AccountChange {
    const before = this.#accounts;
    this.#accounts = compileAccounts(options);
    return {
      added: [...this.#accounts.keys()].filter((name) => !before.has(name)),
      removed: [...before.keys()].filter((name) => !this.#accounts.has(name)),
    };
  }

  get(name: string): Account | undefined {
    return this.#accounts.get(name);
  }

  all(): IterableIterator<Account> {
    return this.#accounts.values();
  }

  isSystem(name: string): boolean {
    return this.#accounts.get(name)?.isSystem ?? false;
  }

  connections(name: string): number {
    return this.#connections.get(name) ?? 0;
  }

  join(name: string): JoinResult {
    const account = this.#accounts.get(name);
    if (account === undefined) return 'unknownAccount';
    const count = this.connections(name);
    const { maxConnections } = account.limits;
    if (maxConnections >= 0 && count >= maxConnections) return 'maxAccountConnections';
    this.#connections.set(name, count + 1);
    return 'ok';
  }

  leave(name: string): void {
    const count = this.connections(name) - 1;
    if (count > 0) this.#connections.set(name, count);
    else this.#connections.delete(name);
  }

  /** What a connection of this account may use: the stricter of server and account. `maxSubs` 0 is no limit. */
  limits(name: string, server: SessionLimits): SessionLimits {
    const account = this.#accounts.get(name)?.limits ?? unlimitedAccount();
    return {
      maxPayload: account.maxPayload < 0 ? server.maxPayload : Math.min(account.maxPayload, server.maxPayload),
      maxSubs: account.maxSubscriptions <= 0 ? server.maxSubs : Math.min(account.maxSubscriptions, server.maxSubs || Infinity),
    };
  }
}
