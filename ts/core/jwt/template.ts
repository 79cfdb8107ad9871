// Templates in the permissions of a scoped signing key: `{{name()}}`, `{{tag(x)}}` and so on stand for what the user's claims say.
// Kept true: an allow list that says something before never becomes one that says nothing, which would allow everything; a deny entry that
// cannot be filled in refuses the user.

import { isValidSubject } from '../subject/subject.ts';
import type { AccountClaims } from './account-claims.ts';
import { TokenError } from './fields.ts';
import type { ClaimPermissions, UserClaims } from './user-claims.ts';

const template = /\{{2}([^}]+)\}{2}/g;
const tagCall = /^(account-)?tag\((.*)\)$/i;

/** A list with templates makes at most so many subjects. */
const MOST_SUBJECTS = 4096;

type Failing = boolean;

function tagValues(tags: readonly string[], name: string): readonly string[] {
  const prefix = `${name.toLowerCase()}:`;
  return tags.filter((tag) => tag.startsWith(prefix)).map((tag) => tag.slice(prefix.length));
}

function valuesOf(call: string, entry: string, user: UserClaims, account: AccountClaims, failing: Failing): readonly string[] {
  switch (call.toLowerCase()) {
    case 'name()':
      return [user.name];
    case 'subject()':
      return [user.subject];
    case 'account-name()':
      return [account.name];
    case 'account-subject()':
      return [user.issuerAccount];
  }
  const tag = tagCall.exec(call);
  if (tag === null) throw new TokenError(`template operation in "${entry}": "${call}" is not defined`);
  const values = tagValues(tag[1] === undefined ? user.tags : account.tags, tag[2] ?? '');
  if (values.length === 0 && failing) throw new TokenError(`generated invalid subject "${entry}": "${tag[2]}" is not defined`);
  return values;
}

/** Every choice of one value for each template of an entry. */
function filled(entry: string, user: UserClaims, account: AccountClaims, failing: Failing): string[] {
  let subjects = [entry];
  for (const [written, call = ''] of entry.matchAll(template)) {
    const values = valuesOf(call.trim(), entry, user, account, failing);
    if (subjects.length * values.length > MOST_SUBJECTS)
      throw new TokenError(`template expansion limit exceeded: ${MOST_SUBJECTS}`);
    subjects = subjects.flatMap((subject) => values.map((value) => subject.replace(written, () => value)));
  }
  const valid = subjects.filter(isValidSubject);
  if (failing && valid.length < subjects.length) throw new TokenError('generated invalid subject');
  return valid;
}

function fillList(list: readonly string[], user: UserClaims, account: AccountClaims, failing: Failing): readonly string[] {
  if (!list.some((entry) => entry.search(template) >= 0)) return list;
  const all = list.flatMap((entry) => filled(entry, user, account, failing));
  if (all.length > MOST_SUBJECTS) throw new TokenError(`template expansion limit exceeded: ${MOST_SUBJECTS}`);
  return all;
}

/** The permissions of a template for one user. Throws a TokenError. */
export function fillTemplate(permissions: ClaimPermissions, user: UserClaims, account: AccountClaims): ClaimPermissions {
  const { publishAllow, publishDeny, subscribeAllow, subscribeDeny, responses } = permissions;
  const allow = (list: readonly string[]): readonly string[] => fillList(list, user, account, false);
  const deny = (list: readonly string[]): readonly string[] => fillList(list, user, account, true);
  const nothingLeft = (before: readonly string[], now: readonly string[]): readonly string[] =>
    before.length > 0 && now.length === 0 ? ['>'] : [];
  const filledPublish = allow(publishAllow);
  const filledSubscribe = allow(subscribeAllow);
  return {
    publishAllow: filledPublish,
    publishDeny: [...deny(publishDeny), ...nothingLeft(publishAllow, filledPublish)],
    subscribeAllow: filledSubscribe,
    subscribeDeny: [...deny(subscribeDeny), ...nothingLeft(subscribeAllow, filledSubscribe)],
    responses,
  };
}
