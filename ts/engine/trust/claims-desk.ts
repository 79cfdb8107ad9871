// Where JWTs of accounts are handed in while the server runs: `nsc push` and others send them to the system account. What is taken is
// kept in the resolver's directory, where there is one, and takes effect in the account at once.

import { decodeAccount } from '../../core/jwt/account-claims.ts';
import type { AccountClaims } from '../../core/jwt/account-claims.ts';
import { accountProblems } from '../../core/jwt/check-claims.ts';
import { decodeToken, isPublicNkey } from '../../core/jwt/token.ts';
import { operatorKeys } from '../../core/jwt/operator-claims.ts';
import type { OperatorClaims } from '../../core/jwt/operator-claims.ts';
import type { Options } from '../../core/config/options.ts';
import type { ClaimsAnswer, ClaimsDoor, ClaimsStore } from '../../ports/claims.ts';
import { TokenDirectory } from './token-directory.ts';
import type { AccountSource } from './account-source.ts';
import type { TrustPorts, TrustedAccounts } from './trusted-accounts.ts';
import { messageOf } from '../../lib/message-of.ts';

const ASK_MS = 1_900;

interface Words {
  readonly wrong: string;
  readonly invalid: string;
  readonly skipped: string;
  readonly done: string;
}

const words: Readonly<Record<'full' | 'cache', Words>> = {
  full: {
    wrong: 'jwt update resulted in error',
    invalid: 'jwt validation failed',
    skipped: 'jwt update skipped',
    done: 'jwt updated',
  },
  cache: {
    wrong: 'jwt update cache resulted in error',
    invalid: 'jwt update cache validation failed',
    skipped: 'jwt update cache skipped',
    done: 'jwt updated cache',
  },
};

export class ClaimsDesk implements ClaimsDoor {
  readonly store: ClaimsStore | undefined;
  readonly #directory: TokenDirectory | undefined;
  readonly #kind: 'full' | 'cache';
  readonly #operator: OperatorClaims | undefined;
  readonly #systemAccount: string;
  readonly #accounts: TrustedAccounts;
  readonly #ports: TrustPorts;

  constructor(options: Options, source: AccountSource, accounts: TrustedAccounts, ports: TrustPorts) {
    const { resolver, operators, systemAccount } = options;
    this.#kind = resolver?.type === 'cache' ? 'cache' : 'full';
    this.#operator = operators[0];
    this.#systemAccount = systemAccount;
    this.#accounts = accounts;
    this.#ports = ports;
    if (!(source instanceof TokenDirectory)) return;
    this.#directory = source;
    this.store = this.#storeOf(source, resolver?.intervalMs ?? 0, resolver?.timeoutMs ?? ASK_MS);
    source.changed = (key, jwt) => this.#apply(key, jwt);
    source.deleted = (key) => accounts.remove(key);
  }

  update(key: string | undefined, jwt: string): ClaimsAnswer {
    return this.#directory === undefined ? this.#updateInUse(key ?? '', jwt) : this.#updateKept(this.#directory, key, jwt);
  }

  /** Without a directory: only accounts that are in use. */
  #updateInUse(account: string, jwt: string): ClaimsAnswer {
    const { wrong, skipped, done } = words.full;
    if (jwt === '') return { account, message: 'jwt update error', problem: 'request body is empty' };
    try {
      const { subject } = decodeAccount(jwt, this.#ports.tokens);
      if (subject !== account) return { account, message: wrong, problem: 'subject does not match jwt content' };
      if (this.#accounts.get(account) === undefined) return { account, message: skipped };
      this.#accounts.update(account, jwt);
      return { account, message: done };
    } catch (error) {
      return { account, message: wrong, problem: messageOf(error) };
    }
  }

  #updateKept(directory: TokenDirectory, named: string | undefined, jwt: string): ClaimsAnswer {
    const { wrong, invalid, skipped, done } = words[this.#kind];
    let claims: AccountClaims;
    try {
      claims = decodeAccount(jwt, this.#ports.tokens);
    } catch (error) {
      const account = this.#kind === 'cache' && named !== undefined ? named : 'n/a';
      return { account, message: wrong, problem: messageOf(error) };
    }
    const account = named ?? claims.subject;
    const problems = accountProblems(claims);
    const unusable = problems.length > 0 ? `validation errors: [${problems.join(' ')}]` : undefined;
    const isCache = this.#kind === 'cache';
    if (!isCache && unusable !== undefined) return { account: claims.subject, message: invalid, problem: unusable };
    if (claims.subject !== account) return { account, message: wrong, problem: 'subject does not match jwt content' };
    if (this.#operator?.strictSigningKeyUsage === true && claims.issuer === this.#operator.subject)
      return { account, message: wrong, problem: 'operator requires issuer to be a signing key' };
    if (isCache && this.#accounts.get(account) === undefined) return { account, message: skipped };
    if (unusable !== undefined) return { account, message: invalid, problem: unusable };
    try {
      directory.save(account, jwt);
      return { account, message: done };
    } catch (error) {
      return { account, message: wrong, problem: messageOf(error) };
    }
  }

  /** A JWT that was kept takes effect; one that is not trusted stays a file. */
  #apply(key: string, jwt: string): void {
    try {
      this.#accounts.update(key, jwt);
    } catch (error) {
      this.#ports.log.error(`DirResolver - Update for account "${key}" resulted in error ${messageOf(error)}`);
    }
  }

  #delete(directory: TokenDirectory, request: string): ClaimsAnswer {
    let by = '';
    let keys: readonly string[];
    try {
      const claims = decodeToken(request, this.#ports.tokens);
      by = claims.subject;
      if (directory.rules.deletes === 'no') throw new Error('delete must be enabled in server config');
      if (claims.subject !== claims.issuer) throw new Error('not self signed');
      const trusted = this.#operator === undefined ? [] : operatorKeys(this.#operator);
      if (!trusted.includes(claims.issuer)) throw new Error('not trusted');
      keys = this.#named(claims.nats['accounts']);
    } catch (error) {
      return { account: '', message: `delete accounts request by ${by} failed`, problem: messageOf(error) };
    }
    const failures: string[] = [];
    for (const key of keys) {
      try {
        directory.delete(key);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    const deleted = keys.length - failures.length;
    if (failures.length === 0) return { account: '', message: `deleted ${deleted} accounts` };
    return {
      account: '',
      message: `deleted ${deleted} accounts, failed for ${failures.length}`,
      problem: failures.join('\n'),
    };
  }

  #named(list: unknown): readonly string[] {
    if (!Array.isArray(list)) throw new Error('malformed request');
    return list.map((key: unknown) => {
      if (typeof key !== 'string' || !isPublicNkey('account', key)) throw new Error('malformed request');
      if (key === this.#systemAccount) throw new Error('not allowed to delete system account');
      return key;
    });
  }

  #merge(directory: TokenDirectory, lines: string): void {
    for (const line of lines.split('\n')) {
      if (line === '') continue;
      const [key = '', jwt, ...more] = line.split('|');
      if (jwt === undefined || more.length > 0)
        throw new Error(`line in package didn't contain 2 entries: ${JSON.stringify(line)}`);
      if (!isPublicNkey('account', key)) throw new Error('key to merge is not a valid public account key');
      directory.store(key, jwt);
    }
  }

  #storeOf(directory: TokenDirectory, intervalMs: number, timeoutMs: number): ClaimsStore {
    return {
      kind: this.#kind,
      intervalMs,
      timeoutMs,
      get hash() {
        return directory.hash;
      },
      lookup: (key) => directory.read(key),
      all: () => directory.all(),
      delete: (request) => this.#delete(directory, request),
      merge: (lines) => this.#merge(directory, lines),
      get ask() {
        return directory.ask;
      },
      set ask(ask) {
        directory.ask = ask;
      },
    };
  }
}
