// The accounts of operator mode: fetched when first asked for, checked, kept until they are updated, run out or are removed.
// What accounts are changes the whole server (imports, JetStream, limits), so changes are collected for a moment and handed on together.
// Kept true: an account in here was signed by a trusted operator and its claims are without a problem; whoever waits for an account gets
// it when the server has taken it.

import type { TrustedAccount } from '../../core/auth/signed-user.ts';
import type { AccountOptions } from '../../core/config/options.ts';
import { decodeAccount } from '../../core/jwt/account-claims.ts';
import type { AccountClaims } from '../../core/jwt/account-claims.ts';
import { activationEnd } from '../../core/jwt/activation.ts';
import { accountOptions } from '../../core/jwt/account-options.ts';
import { accountProblems } from '../../core/jwt/check-claims.ts';
import { isOutOfTime, isPublicNkey } from '../../core/jwt/token.ts';
import type { TokenPorts } from '../../core/jwt/token.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { AccountSource } from './account-source.ts';
import { messageOf } from '../../lib/message-of.ts';

export interface TrustRules {
  readonly trustedKeys: ReadonlySet<string>;
  /** Keys of operators that want accounts to sign users by signing keys only. */
  readonly strictKeys: ReadonlySet<string>;
}

export interface TrustPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly tokens: TokenPorts;
}

export class KnownAccount implements TrustedAccount {
  claims: AccountClaims;
  jwt: string;
  strict: boolean;
  expired = false;
  updatedMs = 0;
  /** Stands in for the system account until its JWT can be had. */
  readonly isBootstrap: boolean;
  expiry: Timer | undefined;
  /** As made from the claims, where they do not depend on anything else. */
  options: AccountOptions | undefined;
  /** When the tokens of its imports run out. */
  activationEnds: readonly number[] | undefined;

  constructor(claims: AccountClaims, jwt: string, strict: boolean, isBootstrap = false) {
    this.claims = claims;
    this.jwt = jwt;
    this.strict = strict;
    this.isBootstrap = isBootstrap;
  }
}

/** An account that ran out is asked for again, at most so often. */
const RETRY_MS = 1_000;
/** Changes are collected for so long. */
const GATHER_MS = 1;
const SLOW_FETCH_MS = 1_000;

/** Takes what the accounts are now; resolves when they can be used. */
export type AccountsChanged = (names: ReadonlySet<string>) => Promise<void>;

class AccountRefused extends Error {}

export class TrustedAccounts {
  readonly #ports: TrustPorts;
  readonly #source: AccountSource;
  readonly #known = new Map<string, KnownAccount>();
  readonly #pending = new Map<string, Promise<KnownAccount | undefined>>();
  readonly #dirty = new Set<string>();
  readonly #changed: AccountsChanged;
  #rules: TrustRules;
  #gathering: Promise<void> | undefined;
  #activations: Timer | undefined;
  /** What was handed on last. */
  #taken: Promise<void> = Promise.resolve();

  constructor(rules: TrustRules, source: AccountSource, ports: TrustPorts, changed: AccountsChanged) {
    this.#rules = rules;
    this.#source = source;
    this.#ports = ports;
    this.#changed = changed;
  }

  get(key: string): KnownAccount | undefined {
    return this.#known.get(key);
  }

  all(): Iterable<KnownAccount> {
    return this.#known.values();
  }

  /** The account, or a promise where it must be fetched; undefined where there is none. */
  lookup(key: string): KnownAccount | undefined | Promise<KnownAccount | undefined> {
    const known = this.#known.get(key);
    if (known !== undefined && !known.expired && !this.#dirty.has(key)) return known;
    if (known?.expired === true && this.#ports.clock.wallMs() - known.updatedMs < RETRY_MS) return undefined;
    return this.#load(key);
  }

  /** Every account as options have it. */
  options(): Map<string, AccountOptions> {
    const { tokens, clock } = this.#ports;
    const claims = new Map([...this.#known].map(([key, account]) => [key, account.claims]));
    const nowMs = clock.wallMs();
    const rows = [...this.#known].map(([key, account]) => {
      const options = account.options ?? accountOptions(account.claims, claims, nowMs, tokens);
      // A token of an import is judged with the claims of another account, and by the time.
      if (!account.claims.imports.some(({ token }) => token !== '')) account.options = options;
      return [key, options] as const;
    });
    return new Map(rows);
  }

  /** Takes a new JWT of an account that is known. Throws an AccountRefused or a TokenError. */
  update(key: string, jwt: string): void {
    const known = this.#known.get(key);
    if (known === undefined || known.jwt === jwt) return;
    this.#adopt(key, this.#verified(jwt), jwt);
    void this.#apply();
    void this.#loadImports(key).then(() => this.#apply());
  }

  /** The account is gone: nobody stays, nobody comes in until it is there again. */
  remove(key: string): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    this.#ports.log.debug(`Disable account ${key} due to remove`);
    this.#expire(key, known);
  }

  follow(rules: TrustRules): void {
    this.#rules = rules;
  }

  /** Fetches all known accounts once more, where a source has other content now; those that are not there any more go. */
  async refresh(): Promise<void> {
    for (const [key, known] of [...this.#known]) {
      if (known.isBootstrap) continue;
      try {
        this.update(key, await this.#source.fetch(key));
      } catch (error) {
        this.#ports.log.warn(`Account [${key}] is not there any more: ${messageOf(error)}`);
        this.remove(key);
      }
    }
  }

  /** An account without a JWT of its own, that signs its users itself. */
  bootstrap(claims: AccountClaims): void {
    this.#known.set(claims.subject, new KnownAccount(claims, '', false, true));
    this.#dirty.add(claims.subject);
    void this.#apply();
  }

  /** The next activation that runs out closes the import that it opened. */
  #watchActivations(): void {
    const { clock, tokens } = this.#ports;
    this.#activations?.cancel();
    const nowMs = clock.wallMs();
    let soonest: { readonly key: string; readonly endMs: number } | undefined;
    for (const [key, account] of this.#known) {
      account.activationEnds ??= account.claims.imports.map((row) => activationEnd(row, tokens));
      for (const seconds of account.activationEnds) {
        // A token holds to the end of the second that it names.
        const endMs = (seconds + 1) * 1000;
        if (seconds > 0 && endMs > nowMs && endMs < (soonest?.endMs ?? Infinity)) soonest = { key, endMs };
      }
    }
    if (soonest === undefined) return;
    const { key, endMs } = soonest;
    this.#activations = clock.after(endMs - nowMs, () => {
      this.#dirty.add(key);
      void this.#apply();
    });
  }

  stop(): void {
    this.#activations?.cancel();
    for (const { expiry } of this.#known.values()) expiry?.cancel();
    this.#source.stop();
  }

  /** The claims of a JWT that may be an account here. */
  #verified(jwt: string): AccountClaims {
    const claims = decodeAccount(jwt, this.#ports.tokens);
    if (!this.#rules.trustedKeys.has(claims.issuer)) throw new AccountRefused('account validation failed');
    if (accountProblems(claims).length > 0 || isOutOfTime(claims, this.#ports.clock.wallMs()))
      throw new AccountRefused('account validation failed');
    return claims;
  }

  #load(key: string): Promise<KnownAccount | undefined> {
    const pending = this.#pending.get(key) ?? this.#fetch(key).finally(() => this.#pending.delete(key));
    this.#pending.set(key, pending);
    return pending;
  }

  async #fetch(key: string): Promise<KnownAccount | undefined> {
    if (!isPublicNkey('account', key)) return undefined;
    const { clock, log } = this.#ports;
    const since = clock.monotonicMs();
    try {
      if (!this.#dirty.has(key)) {
        const jwt = await this.#source.fetch(key);
        const tookMs = clock.monotonicMs() - since;
        if (tookMs > SLOW_FETCH_MS) log.warn(`Account [${key}] fetch took ${Math.round(tookMs)}ms`);
        const claims = this.#verified(jwt);
        if (claims.subject !== key) throw new AccountRefused('account validation failed');
        this.#adopt(key, claims, jwt);
        await this.#loadImports(key);
      }
      await this.#gather();
      return this.#known.get(key);
    } catch (error) {
      log.warn(`Account fetch failed: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** What an account imports from has to be known for its imports to work. */
  async #loadImports(key: string): Promise<void> {
    const wanted = this.#known.get(key)?.claims.imports ?? [];
    const missing = new Set(wanted.map(({ account }) => account).filter((account) => !this.#known.has(account)));
    for (const account of missing) {
      // One that is being loaded may be waiting for this one.
      if (this.#pending.has(account)) continue;
      if ((await this.#load(account)) === undefined)
        this.#ports.log.error(`Can't locate account [${account}] for imports of ${key}`);
    }
  }

  #adopt(key: string, claims: AccountClaims, jwt: string): void {
    const strict = this.#rules.strictKeys.has(claims.issuer);
    const before = this.#known.get(key);
    before?.expiry?.cancel();
    const known = new KnownAccount(claims, jwt, strict);
    known.updatedMs = this.#ports.clock.wallMs();
    this.#known.set(key, known);
    this.#dirty.add(key);
    if (claims.expires === 0) return;
    const leftMs = claims.expires * 1000 - known.updatedMs;
    known.expiry = this.#ports.clock.after(Math.max(0, leftMs), () => this.#expire(key, known));
  }

  #expire(key: string, known: KnownAccount): void {
    known.expiry?.cancel();
    known.expired = true;
    known.updatedMs = this.#ports.clock.wallMs();
    this.#dirty.add(key);
    void this.#apply();
  }

  #gather(): Promise<void> {
    this.#gathering ??= new Promise((resolve) => {
      this.#ports.clock.after(GATHER_MS, () => {
        this.#gathering = undefined;
        resolve(this.#apply());
      });
    });
    return this.#gathering;
  }

  #apply(): Promise<void> {
    const names = new Set(this.#dirty);
    this.#dirty.clear();
    if (names.size > 0) {
      this.#taken = this.#changed(names);
      this.#watchActivations();
    }
    return this.#taken;
  }
}
