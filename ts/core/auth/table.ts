// Who may connect to a listener: the options compiled to what one decision needs. Made anew at every reload and then never changed.
// Kept true: `required` is false only when anybody may connect as an anonymous user of the global account.
import type {
  ListenerAuthorization,
  Options,
  UserOptions,
  ConnectionType,
  Permissions as PermissionOptions,
} from '../config/options.ts';
import { DEFAULT_SYSTEM_ACCOUNT, GLOBAL_ACCOUNT, allUsers } from '../config/options.ts';
import { operatorKeys } from '../jwt/operator-claims.ts';
import type { CalloutRules } from './callout.ts';
import type { OperatorRules } from './operator.ts';
import type { CompilePermissions } from './signed-user.ts';
import { compilePermissions } from './permissions.ts';
import type { Permissions } from './permissions.ts';

export interface User {
  readonly name: string;
  /** Plain or bcrypt; empty for an nkey. */
  readonly password: string;
  readonly account: string;
  readonly permissions: Permissions | undefined;
  readonly connectionTypes: ReadonlySet<ConnectionType> | undefined;
  readonly proxyRequired: boolean;
}

export type SingleCredential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'password'; readonly user: string; readonly pass: string };

export interface AuthTable {
  readonly required: boolean;
  readonly users: ReadonlyMap<string, User>;
  readonly nkeys: ReadonlyMap<string, User>;
  readonly single: SingleCredential | undefined;
  readonly noAuthUser: User | undefined;
  /** The client certificate names the user. */
  readonly mapCertificate: boolean;
  /** INFO carries a nonce. */
  readonly needsNonce: boolean;
  readonly proxyRequired: boolean;
  /** Public keys of proxies that may vouch for clients. */
  readonly trustedProxies: readonly string[];
  /** Set where only users that an operator's accounts have signed come in. */
  readonly operator: OperatorRules | undefined;
  /** Set where a service decides. */
  readonly callout: CalloutRules | undefined;
}

/** So many different permission blocks are remembered. */
const MOST_COMPILED = 1_000;

function singleOf(block: { user: string; pass: string; token: string }): SingleCredential | undefined {
  if (block.token !== '') return { kind: 'token', token: block.token };
  if (block.user !== '') return { kind: 'password', user: block.user, pass: block.pass };
  return undefined;
}

/** Equal permission blocks share one compiled object, so that the kernel holds one set for all their users. */
function permissionCompiler(): (options: PermissionOptions | undefined) => Permissions | undefined {
  const seen = new Map<string, Permissions | undefined>();
  return (options) => {
    const key = JSON.stringify(options);
    if (seen.has(key)) return seen.get(key);
    if (seen.size >= MOST_COMPILED) seen.clear();
    const compiled = compilePermissions(options);
    seen.set(key, compiled);
    return compiled;
  };
}

function compileUsers(options: Options): { users: Map<string, User>; nkeys: Map<string, User> } {
  const compile = permissionCompiler();
  const users = new Map<string, User>();
  const nkeys = new Map<string, User>();
  for (const row of allUsers(options)) (row.nkey === '' ? users : nkeys).set(row.nkey || row.user, compileUser(row, compile));
  return { users, nkeys };
}

function compileUser(row: UserOptions, compile: (options: PermissionOptions | undefined) => Permissions | undefined): User {
  return {
    name: row.nkey || row.user,
    password: row.pass,
    account: row.account || GLOBAL_ACCOUNT,
    permissions: compile(row.permissions),
    connectionTypes: row.allowedConnectionTypes && new Set(row.allowedConnectionTypes),
    proxyRequired: row.proxyRequired,
  };
}

function operatorRules(options: Options): OperatorRules | undefined {
  const trustedKeys = new Set([...options.trustedKeys, ...options.operators.flatMap(operatorKeys)]);
  if (trustedKeys.size === 0 && options.operators.length === 0) return undefined;
  const pinned = options.resolverPinnedAccounts;
  return {
    trustedKeys,
    pinnedAccounts: pinned.length === 0 ? undefined : new Set([...pinned, options.systemAccount]),
    defaultSentinel: options.defaultSentinel,
    compile: permissionCompiler(),
  };
}

function calloutRules(options: Options, compile: CompilePermissions): CalloutRules | undefined {
  const callout = options.authorization.authCallout;
  if (callout === undefined) return undefined;
  const { issuer, account, authUsers, xkey, allowedAccounts } = callout;
  return {
    issuer,
    account,
    authUsers: new Set(authUsers),
    xkey,
    allowedAccounts: new Set(allowedAccounts),
    compile,
    place: (name) => {
      const row = options.accounts.get(name);
      if (row === undefined && ![GLOBAL_ACCOUNT, options.systemAccount || DEFAULT_SYSTEM_ACCOUNT].includes(name))
        return undefined;
      return { permissions: compile(row?.defaultPermissions) };
    },
  };
}

export function compileAuth(options: Options): AuthTable {
  const { users, nkeys } = compileUsers(options);
  const single = singleOf(options.authorization);
  const callout = calloutRules(options, permissionCompiler());
  const { proxyRequired } = options.authorization;
  const operator = operatorRules(options);
  const isOperated = operator !== undefined;
  const noAuthUser = isOperated ? undefined : (users.get(options.noAuthUser) ?? nkeys.get(options.noAuthUser));
  return {
    required: users.size > 0 || nkeys.size > 0 || single !== undefined || callout !== undefined || isOperated,
    users,
    nkeys,
    single,
    noAuthUser,
    mapCertificate: options.tls?.verifyAndMap ?? false,
    needsNonce: nkeys.size > 0 || isOperated || options.trustedProxies.length > 0,
    proxyRequired,
    trustedProxies: options.trustedProxies,
    operator,
    callout,
  };
}

/** A listener with credentials or a no_auth_user of its own: those take the place of the server's; its users stay. */
export function overrideAuth(
  table: AuthTable,
  block: { authorization?: ListenerAuthorization; noAuthUser: string; mapCertificate: boolean },
): AuthTable {
  const own = block.authorization === undefined ? undefined : singleOf(block.authorization);
  const isOperated = table.operator !== undefined;
  const noAuthUser = isOperated ? undefined : (table.users.get(block.noAuthUser) ?? table.nkeys.get(block.noAuthUser));
  return {
    ...table,
    required: table.required || own !== undefined,
    ...(own !== undefined && { single: own, users: new Map(), nkeys: new Map() }),
    noAuthUser: noAuthUser ?? (own === undefined ? table.noAuthUser : undefined),
    mapCertificate: block.mapCertificate,
  };
}
