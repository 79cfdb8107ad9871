// Auth callout: a service decides who comes in. It is asked with a JWT that the server signs, about a public user key made for this one
// question; it answers with a JWT of its own that holds the user's JWT. Whoever is on the list of `auth_users` is judged as without callout.
// Kept true: an answer counts only for the question, the server and the issuer that it is for; everything else refuses.

import { accountProblems, timeProblem, userProblem } from '../jwt/check-claims.ts';
import { textOf, TokenError } from '../jwt/fields.ts';
import { decodeKind, isPublicNkey } from '../jwt/token.ts';
import type { Claims, TokenPorts } from '../jwt/token.ts';
import { decodeUser, permissionsOf } from '../jwt/user-claims.ts';
import type { UserBounds, UserClaims } from '../jwt/user-claims.ts';
import { admitsType, boundsUnder, endOfUser, grantUser, Refusal } from './signed-user.ts';
import type { AccountQuestion, CompilePermissions, TrustedAccount } from './signed-user.ts';
import type { AuthDecision, AuthPorts, Granted, Refused, VouchedRequest } from './decide.ts';
import type { Permissions } from './permissions.ts';

/** The subject that a service listens on; clients of its account may not publish there. */
export const CALLOUT_SUBJECT = '$SYS.REQ.USER.AUTH';

/** The `auth_callout` block. */
export interface CalloutRules {
  readonly issuer: string;
  readonly account: string;
  readonly authUsers: ReadonlySet<string>;
  readonly xkey: string;
  /** Accounts whose users are asked about; empty: all. */
  readonly allowedAccounts: ReadonlySet<string>;
  readonly compile: CompilePermissions;
  /** Default permissions of a configured account; undefined: there is no such account. */
  place(name: string): { readonly permissions: Permissions | undefined } | undefined;
}

/** What a service is asked. */
export interface CalloutQuestion {
  readonly kind: 'callout';
  /** Where it listens. */
  readonly account: string;
  /** The subject of the request's JWT. */
  readonly about: string;
  /** Requests are encrypted for this key; empty: they are not. */
  readonly xkey: string;
  readonly user: string;
  readonly userJwt: string;
  readonly tags: readonly string[];
  readonly nameTag: string;
  decided(answer: CalloutAnswer): AuthDecision;
}

export type CalloutAnswer =
  | { readonly kind: 'late' }
  /** It could not be asked, or what it said could not be decrypted. */
  | { readonly kind: 'failed'; readonly why: string }
  | {
      readonly kind: 'said';
      readonly text: string;
      readonly encrypted: boolean;
      /** The key made for the question, and the server that asked. */
      readonly userNkey: string;
      readonly serverId: string;
      readonly nowMs: number;
    };

type Said = Extract<CalloutAnswer, { kind: 'said' }>;

/** How a client names itself, as lists of users have it. */
function rawUser({ nkey, user, authToken }: VouchedRequest['connect']): string {
  return nkey || user || (authToken === '' ? '' : '[REDACTED]');
}

/** Permissions with one more subject that must not be published on. */
function denying(permissions: Permissions | undefined, subject: string): Permissions {
  const all = { publishAllow: undefined, publishDeny: [], subscribeAllow: undefined, subscribeDeny: [], responses: undefined };
  const base = permissions ?? all;
  return { ...base, publishDeny: [...base.publishDeny, subject] };
}

/** Who is in the service's account may not ask in the server's place. */
function apart(granted: Granted, account: string): Granted {
  return granted.account === account ? { ...granted, permissions: denying(granted.permissions, CALLOUT_SUBJECT) } : granted;
}

function refuse(why: string): Refused {
  return { kind: 'refused', why: why.charAt(0).toUpperCase() + why.slice(1), warns: true };
}

function checkResponse(response: Claims, said: Said): void {
  const { nats, subject, audience } = response;
  const [error, jwt, issuerAccount] = [textOf(nats, 'error'), textOf(nats, 'jwt'), textOf(nats, 'issuer_account')];
  const invalid = (issue: string): Refusal => new Refusal(`authorization response had validation errors: ${issue}`);
  if (!isPublicNkey('user', subject)) throw invalid('Subject must be a user public key');
  if (!isPublicNkey('server', audience)) throw invalid('Audience must be a server public key');
  if (error === '' && jwt === '') throw invalid('Error or Jwt is required');
  if (error !== '' && jwt !== '') throw invalid('Only Error or Jwt can be set');
  if (issuerAccount !== '' && !isPublicNkey('account', issuerAccount))
    throw invalid('issuer_account is not an account public key');
  const time = timeProblem(response, said.nowMs);
  if (time !== undefined) throw invalid(time);
  if (subject !== said.userNkey) throw new Refusal('auth callout violation: auth callout response is not for expected user');
  if (audience !== said.serverId) throw new Refusal('auth callout violation: auth callout response is not for server');
  if (error !== '') throw new Refusal(`auth callout service returned an error: ${error}`);
}

/** The user that an answer lets in, and the key that signed the answer. */
function readAnswer(said: Said, account: string, tokens: TokenPorts): { readonly user: UserClaims; readonly signer: string } {
  if (said.text === '') throw new Refusal(`auth callout violation: "no reason supplied" on account "${account}"`);
  const response = decodeKind(said.text, 'authorization_response', tokens);
  checkResponse(response, said);
  const user = decodeUser(textOf(response.nats, 'jwt'), tokens);
  const problem = userProblem(user) ?? timeProblem(user, said.nowMs);
  if (problem !== undefined) throw new Refusal(`error validating user JWT: ${problem}`);
  if (user.subject !== said.userNkey)
    throw new Refusal(`expected authorized user of "${said.userNkey}" but got "${user.subject}" on account "${account}"`);
  return { user, signer: textOf(response.nats, 'issuer_account') || response.issuer };
}

interface Place {
  readonly account: string;
  readonly accountTag: string;
  readonly permissions: Permissions | undefined;
  readonly signer: string;
  readonly scope: UserBounds | undefined;
  readonly bounds: UserBounds;
  readonly usesDefaults: boolean;
}

function letIn(user: UserClaims, place: Place, request: VouchedRequest, said: Said): Granted {
  const { bounds } = place;
  const end = endOfUser(user, bounds, said.nowMs);
  if (end === undefined) throw new Refusal('authorized user outside of valid connect times');
  if (!admitsType(bounds.connectionTypes, request.connectionType))
    throw new Refusal('authorized user using invalid connection type');
  const { nkey, user: given } = request.connect;
  const name = user.name || nkey || given || user.subject;
  const label = user.name !== '' || nkey === '' ? `user:${name}` : `nkey:${nkey}`;
  return {
    kind: 'granted',
    account: place.account,
    user: name,
    label,
    listed: false,
    permissions: place.permissions,
    signed: {
      jwt: '',
      nkey: user.subject,
      name: user.name,
      tags: user.tags,
      issuer: place.account,
      accountTag: place.accountTag,
      signer: place.signer,
      issuedAt: user.issuedAt,
      maxSubs: -1,
      maxPayload: -1,
      bearer: false,
      scope: place.scope,
      usesDefaults: place.usesDefaults,
      endsAtMs: end.atMs,
    },
  };
}

/** Runs a check that may throw; what was wrong refuses. */
function guarded(check: () => AuthDecision): AuthDecision {
  try {
    return check();
  } catch (error) {
    if (error instanceof Refusal || error instanceof TokenError) return refuse(error.message);
    throw error;
  }
}

const wantsProxy: Refused = { kind: 'refused', error: 'proxyRequired', why: 'proxy connection required' };

function heard(answer: CalloutAnswer, judge: (said: Said) => AuthDecision): AuthDecision {
  if (answer.kind === 'late')
    return { kind: 'refused', error: 'authTimeout', why: 'Authorization callout response not received in time' };
  if (answer.kind === 'failed') return refuse(answer.why);
  return guarded(() => judge(answer));
}

/** The answer where users, nkeys and accounts are configured: the user's audience names its account. */
function judgeConfigured(rules: CalloutRules, request: VouchedRequest, tokens: TokenPorts, said: Said): AuthDecision {
  const { account, issuer } = rules;
  const { user } = readAnswer(said, account, tokens);
  if (user.bounds.proxyRequired && !request.viaTrustedProxy) return wantsProxy;
  if (user.issuerAccount !== '')
    throw new Refusal(`error non operator mode account "${account}": attempted to use issuer_account`);
  if (user.issuer !== issuer) {
    throw new Refusal(
      `wrong issuer for auth callout response on account "${account}", expected "${issuer}" got "${user.issuer}"`,
    );
  }
  const target = rules.place(user.audience);
  if (target === undefined) {
    throw new Refusal(`no valid account "${user.audience}" for auth callout response on account "${account}": account missing`);
  }
  const own = rules.compile(permissionsOf(user.bounds.permissions));
  const place = {
    account: user.audience,
    accountTag: user.audience,
    permissions: own ?? target.permissions,
    signer: user.issuer,
    scope: undefined,
    bounds: user.bounds,
    usesDefaults: own === undefined,
  };
  return apart(letIn(user, place, request, said), account);
}

/** What comes of a decision that was made without the service. */
export function underCallout(
  rules: CalloutRules,
  request: VouchedRequest,
  decision: AuthDecision,
  ports: AuthPorts,
): AuthDecision {
  if (decision.kind === 'question') {
    return { ...decision, decided: (equal: boolean) => underCallout(rules, request, decision.decided(equal), ports) };
  }
  if (decision.kind !== 'granted' && decision.kind !== 'refused') return decision;
  const account = decision.kind === 'granted' ? decision.account : '$G';
  const { allowedAccounts, authUsers } = rules;
  const isAskedAbout = account === '$G' || allowedAccounts.size === 0 || allowedAccounts.has(account);
  const user = decision.kind === 'granted' && decision.user !== '' ? decision.user : rawUser(request.connect);
  if (!isAskedAbout) return decision;
  if (authUsers.has(user)) return decision.kind === 'granted' ? apart(decision, rules.account) : decision;
  const needsProxy = decision.kind === 'refused' && decision.error === 'proxyRequired';
  if (needsProxy) return decision;
  return {
    kind: 'callout',
    account: rules.account,
    about: rules.issuer,
    xkey: rules.xkey,
    user,
    userJwt: request.connect.jwt,
    tags: [],
    nameTag: '',
    decided: (answer) => heard(answer, (said) => judgeConfigured(rules, request, ports.tokens, said)),
  };
}

/** What comes of a signed user whose account has a service of its own. */
export function underAccountCallout(
  granted: Granted,
  account: TrustedAccount,
  request: VouchedRequest,
  compile: CompilePermissions,
  ports: AuthPorts,
): AuthDecision {
  const { authorization, subject } = account.claims;
  if (authorization.authUsers.length === 0) return granted;
  if (authorization.authUsers.includes(granted.user)) return apart(granted, subject);
  return {
    kind: 'callout',
    account: subject,
    about: subject,
    xkey: authorization.xkey,
    user: granted.user,
    userJwt: granted.signed?.jwt ?? '',
    tags: granted.signed?.tags ?? [],
    nameTag: granted.signed?.name ?? '',
    decided: (answer) => heard(answer, (said) => judgeSigned(account, request, compile, ports.tokens, said)),
  };
}

/** The answer in operator mode: the user's issuer is the account, or one that the account may let users into. */
function judgeSigned(
  asked: TrustedAccount,
  request: VouchedRequest,
  compile: CompilePermissions,
  tokens: TokenPorts,
  said: Said,
): AuthDecision {
  const { subject, authorization } = asked.claims;
  const { user, signer } = readAnswer(said, subject, tokens);
  const isOwn = signer === subject || asked.claims.signingKeys.has(signer);
  if (!said.encrypted && !isOwn) throw new Refusal('auth callout signing key is unknown');
  if (user.bounds.proxyRequired && !request.viaTrustedProxy) return wantsProxy;
  const issuer = user.issuerAccount || user.issuer;
  const { allowedAccounts } = authorization;
  if (issuer !== subject && !allowedAccounts.includes(issuer) && allowedAccounts.join() !== '*') {
    throw new Refusal(`account "${user.issuer}" not permitted as valid account option for auth callout for account "${subject}"`);
  }
  const question: AccountQuestion = {
    kind: 'account',
    account: issuer,
    decided: (target) =>
      guarded(() => {
        if (target === undefined || target.expired || accountProblems(target.claims).length > 0)
          throw new Refusal(`no valid account "${issuer}" for auth callout response on account "${subject}"`);
        const bounds = boundsUnder(user, target);
        const { permissions, usesDefaults, scope } = grantUser(user, bounds, target, compile);
        const place = {
          account: issuer,
          accountTag: target.claims.name,
          permissions,
          signer: user.issuer,
          scope,
          bounds,
          usesDefaults,
        };
        return apart(letIn(user, place, request, said), subject);
      }),
  };
  return question;
}
