// What must hold where operators are trusted, in nats-server's words.

import { isPublicNkey } from '../jwt/token.ts';
import { allUsers } from './options.ts';
import type { Options } from './options.ts';

/** The nats-server level that operators may ask for. */
type Version = readonly [major: number, minor: number, update: number];

const LEVEL: Version = [2, 14, 5];
const PARTS = ['major', 'minor', 'update'] as const;

function versionProblem(subject: string, asserted: string): string | undefined {
  if (asserted === '') return undefined;
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(asserted);
  if (match === null)
    return `operator ${subject} expects version ${asserted} got error instead: asserted server version must be of the form <major>.<minor>.<update>`;
  for (const [at, part] of PARTS.entries()) {
    const wanted = Number(match[at + 1]);
    const ours = LEVEL[at] ?? 0;
    if (wanted > ours) return `operator ${subject} expected ${part} version ${wanted} > server ${part} version ${ours}`;
    if (wanted < ours) return undefined;
  }
  return undefined;
}

function systemAccountProblem({ systemAccount, operators, resolver }: Options): string | undefined {
  const named = operators.filter((one) => one.systemAccount !== '');
  if (systemAccount !== '') {
    const agrees = named.length === 0 || named.some((one) => one.systemAccount === systemAccount);
    return agrees ? undefined : 'system_account in config and operator JWT must be identical';
  }
  const asks = resolver?.type === 'full' || resolver?.type === 'cache';
  return asks
    ? 'using nats based account resolver - the system account needs to be specified in configuration or the operator jwt'
    : undefined;
}

/** The first thing that is wrong; undefined also where there are no operators. */
export function operatorProblem(options: Options): string | undefined {
  const { operators, trustedKeys, resolver, authorization } = options;
  if (operators.length === 0) {
    return options.defaultSentinel === '' ? undefined : 'default sentinel requires operators and accounts';
  }
  if (resolver === undefined) return 'operators require an account resolver to be configured';
  if (options.accounts.size > 0) return 'operators do not allow Accounts to be configured directly';
  if (allUsers(options).length > 0) return 'operators do not allow users to be configured directly';
  if (trustedKeys.length > 0) return "conflicting options for 'TrustedKeys' and 'TrustedOperators'";
  const system = systemAccountProblem(options);
  if (system !== undefined) return system;
  for (const { subject, assertServerVersion } of operators) {
    const problem = versionProblem(subject, assertServerVersion);
    if (problem !== undefined) return problem;
  }
  const pinned = options.resolverPinnedAccounts.find((key) => !isPublicNkey('account', key));
  if (pinned !== undefined) return `pinned account key "${pinned}" is not a valid public account nkey`;
  if (resolver.type === 'url' && Object.keys(options.resolverPreload).length > 0)
    return 'resolver preloads only available for writeable resolver types MEM/DIR/CACHE_DIR';
  return authorization.authCallout === undefined
    ? undefined
    : 'operators do not allow authorization callouts to be configured directly';
}
