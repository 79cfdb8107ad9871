// Operator mode as the server's life sees it: the source is filled and asked whether it is there, the system account is found, and every
// change of accounts goes to the server.
// Kept true: after `open` there is a system account, or `open` has rejected with one line.

import { accountClaims, decodeAccount } from '../../core/jwt/account-claims.ts';
import { accountProblems, timeProblem } from '../../core/jwt/check-claims.ts';
import { operatorKeys } from '../../core/jwt/operator-claims.ts';
import { DEFAULT_SYSTEM_ACCOUNT } from '../../core/config/options.ts';
import type { Options } from '../../core/config/options.ts';
import type { Timer } from '../../ports/clock.ts';
import { UrlSource } from './account-source.ts';
import type { AccountSource } from './account-source.ts';
import { ClaimsDesk } from './claims-desk.ts';
import { TokenDirectory } from './token-directory.ts';
import { TrustedAccounts } from './trusted-accounts.ts';
import type { AccountsChanged, TrustPorts, TrustRules } from './trusted-accounts.ts';
import { messageOf } from '../../lib/message-of.ts';

/** How often a system account that could not be fetched is asked for again. */
const SYSTEM_RETRY_MS = 1_000;

function rulesOf({ operators, trustedKeys }: Options): TrustRules {
  const strict = operators.filter((one) => one.strictSigningKeyUsage);
  return {
    trustedKeys: new Set([...trustedKeys, ...operators.flatMap(operatorKeys)]),
    strictKeys: new Set(strict.flatMap(({ signingKeys }) => signingKeys)),
  };
}

export class OperatorMode {
  readonly accounts: TrustedAccounts;
  readonly source: AccountSource;
  readonly desk: ClaimsDesk;
  readonly #ports: TrustPorts;
  #retry: Timer | undefined;
  #stopped = false;

  constructor(options: Options, source: AccountSource, ports: TrustPorts, changed: AccountsChanged) {
    this.source = source;
    this.#ports = ports;
    this.accounts = new TrustedAccounts(rulesOf(options), source, ports, changed);
    this.desk = new ClaimsDesk(options, source, this.accounts, ports);
  }

  /** The options with the accounts that are known. */
  over(options: Options): Options {
    return { ...options, accounts: this.accounts.options() };
  }

  async open(options: Options): Promise<void> {
    this.#announce(options);
    if (this.source instanceof UrlSource) await this.source.fetch('');
    this.#preload(options);
    await this.#findSystemAccount(options);
    if (this.source instanceof TokenDirectory) {
      const share = options.resolver?.type === 'cache' ? 'some' : 'all';
      this.#ports.log.info(`Managing ${share} jwt in exclusive directory ${this.source.directory}`);
    }
  }

  /** The configuration was read again: its JWTs may be others now. */
  async reload(options: Options): Promise<void> {
    const { source } = this;
    this.accounts.follow(rulesOf(options));
    if (source.replace !== undefined) {
      source.replace(new Map(Object.entries(options.resolverPreload)));
      await this.accounts.refresh();
      return;
    }
    try {
      this.#preload(options);
      if (source instanceof TokenDirectory) source.reread();
    } catch (error) {
      this.#ports.log.error(messageOf(error));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.accounts.stop();
  }

  #announce({ operators, systemAccount }: Options): void {
    const { log } = this.#ports;
    const time = (seconds: number): string =>
      `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
    if (operators.length > 0) log.info('Trusted Operators');
    for (const { audience, name, issuedAt, expires } of operators) {
      log.info(`  System  : ${JSON.stringify(audience)}`);
      log.info(`  Operator: ${JSON.stringify(name)}`);
      log.info(`  Issued  : ${time(issuedAt)}`);
      log.info(`  Expires : ${expires === 0 ? 'Never' : time(expires)}`);
    }
    if (operators.length > 0 && systemAccount === '') log.warn('Trusted Operators should utilize a System Account');
  }

  #preload({ resolverPreload }: Options): void {
    const { log, tokens, clock } = this.#ports;
    for (const [key, jwt] of Object.entries(resolverPreload)) {
      let problems: string[];
      try {
        const claims = decodeAccount(jwt, tokens);
        const outOfTime = timeProblem(claims, clock.wallMs());
        problems = [...accountProblems(claims), ...(outOfTime === undefined ? [] : [outOfTime])];
        this.source.store(key, jwt);
      } catch (error) {
        throw new Error(`preload account error for "${key}": ${messageOf(error)}`, { cause: error });
      }
      if (problems.length > 0) log.warn(`Account [${key}] has validation issues:`);
      for (const problem of problems) log.warn(`  - ${problem}`);
    }
  }

  async #findSystemAccount({ systemAccount: key, operators, resolver }: Options): Promise<void> {
    if (key === '' || key === DEFAULT_SYSTEM_ACCOUNT) return;
    if ((await this.accounts.lookup(key)) !== undefined) return;
    const [operator] = operators;
    if (resolver?.type === 'memory' || operator === undefined || operators.length > 1) {
      throw new Error('error resolving system account: account missing');
    }
    this.#ports.log.info('Using bootstrapping system account');
    this.accounts.bootstrap(bootstrapClaims(key, operator.issuer));
    this.#retrySystemAccount(key);
  }

  #retrySystemAccount(key: string): void {
    this.#retry = this.#ports.clock.after(SYSTEM_RETRY_MS, () => {
      this.source.fetch(key).then(
        (jwt) => {
          this.accounts.update(key, jwt);
          this.#ports.log.info('System account fetched and updated');
        },
        () => {
          if (!this.#stopped && this.accounts.get(key)?.isBootstrap === true) this.#retrySystemAccount(key);
        },
      );
    });
  }
}

/** An account that allows everything and signs its users itself. */
function bootstrapClaims(subject: string, issuer: string): ReturnType<typeof accountClaims> {
  const none = -1;
  const limits = { subs: none, payload: none, data: none, imports: none, exports: none, wildcards: true, conn: none, leaf: none };
  return accountClaims({
    kind: 'account',
    version: 2,
    subject,
    issuer,
    audience: '',
    name: '',
    id: '',
    issuedAt: 0,
    expires: 0,
    notBefore: 0,
    tags: [],
    nats: { limits },
    whole: {},
  });
}
