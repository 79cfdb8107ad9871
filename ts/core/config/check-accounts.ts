// What can only be said of users and accounts when all of them are read: names that stand twice, credentials given in two ways,
// imports of what nobody exports.
// Kept true: after this, a user name or nkey belongs to one user, and an import refers to an export that allows it.

import { compileImports } from '../account/imports.ts';
import { isSubsetMatch, isValidLiteral, tokens } from '../subject/subject.ts';
import type { ConfigValue, MapValue } from './config-value.ts';
import type { Position } from './config-error.ts';
import type { AccountOptions } from './options-auth.ts';
import { allUsers } from './options.ts';
import type { Options } from './options.ts';
import type { Reader } from './reader.ts';

function entryOf(map: MapValue, key: string): ConfigValue | undefined {
  for (const entry of map.entries.values()) if (entry.key.toLowerCase() === key) return entry.value;
  return undefined;
}

function checkUsers(options: Options, at: Position, reader: Reader): void {
  const names = new Set<string>();
  const nkeys = new Set<string>();
  for (const { user, nkey } of allUsers(options)) {
    if (nkey !== '' && nkeys.has(nkey)) reader.report(at, `duplicate nkey "${nkey}" detected`);
    if (nkey === '' && names.has(user)) reader.report(at, `duplicate user "${user}" detected`);
    if (nkey !== '') nkeys.add(nkey);
    else names.add(user);
  }
}

/** A single user or token leaves no place for the users of accounts. */
function checkSingle(options: Options, at: Position, reader: Reader): void {
  const { user, token } = options.authorization;
  if (![...options.accounts.values()].some((account) => account.users.length > 0)) return;
  if (user !== '') reader.report(at, 'cannot have a single user/pass and accounts with users');
  if (token !== '') reader.report(at, 'cannot have a token and accounts with users');
}

function checkExports(account: AccountOptions, options: Options, at: Position, reader: Reader): void {
  for (const { kind, subject, accounts, accountTokenPosition } of account.exports) {
    const unknown = accounts.find((name) => !options.accounts.has(name));
    if (unknown !== undefined) reader.report(at, `"${unknown}" account not defined for ${kind} export`);
    if (accountTokenPosition > 0 && tokens(subject)[accountTokenPosition - 1] !== '*') {
      reader.report(at, `error adding ${kind} export "${subject}": the account token position is no '*'`);
    }
  }
  for (const { subject, latency } of account.exports) {
    if (latency === undefined) continue;
    const problem = latencyProblem(latency.subject, account, options);
    if (problem !== undefined) {
      reader.report(at, `error adding service latency sampling for "${subject}" on subject "${latency.subject}": ${problem}`);
    }
  }
}

/** What was measured is published on a literal subject, and goes to no service of the account. */
function latencyProblem(to: string, account: AccountOptions, options: Options): string | undefined {
  if (options.noSystemAccount) return 'system account not setup';
  const goesBack = account.exports.some(({ kind, subject }) => kind === 'service' && isSubsetMatch(to, subject));
  return !isValidLiteral(to) || goesBack ? 'invalid publish subject' : undefined;
}

export function checkAccounts(options: Options, root: MapValue, reader: Reader): void {
  const accounts = entryOf(root, 'accounts');
  const at = (accounts ?? entryOf(root, 'authorization') ?? root).at;
  checkUsers(options, (entryOf(root, 'authorization') ?? root).at, reader);
  checkSingle(options, at, reader);
  for (const account of options.accounts.values()) {
    checkExports(account, options, at, reader);
  }
  for (const problem of compileImports(options.accounts).problems) reader.report(at, problem);
}
