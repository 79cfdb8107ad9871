// What a user may publish and subscribe: the compiled, immutable form that sessions judge with and the kernel is loaded from.
// `undefined` for a whole `Permissions` means everything is allowed. The kernel keeps one set per object, so equal users share one object.
import type { Permissions as PermissionOptions, SubjectPermission } from '../config/options.ts';

/** One entry of a subscribe list: a subject and, for entries written as "subject queue", the queue pattern that it is about. */
export interface SubscribeRule {
  readonly subject: string;
  readonly queue: string | undefined;
}

/** `allow_responses`: how many replies, and for how long, to each reply subject received. Negative means without limit. */
export interface ResponseRule {
  readonly maxMsgs: number;
  readonly expiresMs: number;
}

export interface Permissions {
  /** `undefined`: every subject not denied; an empty list: none. */
  readonly publishAllow: readonly string[] | undefined;
  readonly publishDeny: readonly string[];
  /** `undefined`: every subject not denied. */
  readonly subscribeAllow: readonly SubscribeRule[] | undefined;
  readonly subscribeDeny: readonly SubscribeRule[];
  readonly responses: ResponseRule | undefined;
}

/** Subjects the kernel checks each message of a `filtered` subscription against. */
export interface MessageFilter {
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[];
}

function subscribeRule(entry: string): SubscribeRule {
  const [subject = '', queue] = entry.trim().split(/\s+/);
  return { subject, queue };
}

/** No list, or an empty one beside no allow key, allows all: only a list with entries restricts. */
function allowList(rules: SubjectPermission | undefined): readonly string[] | undefined {
  return rules?.allow === undefined || rules.allow.length === 0 ? undefined : rules.allow;
}

export function compilePermissions(options: PermissionOptions | undefined): Permissions | undefined {
  if (options === undefined) return undefined;
  const { publish, subscribe, allowResponses } = options;
  const responses = allowResponses && { maxMsgs: allowResponses.max, expiresMs: allowResponses.expiresMs };
  return {
    publishAllow: allowList(publish) ?? (responses === undefined ? undefined : []),
    publishDeny: publish?.deny ?? [],
    subscribeAllow: allowList(subscribe)?.map(subscribeRule),
    subscribeDeny: (subscribe?.deny ?? []).map(subscribeRule),
    responses,
  };
}

/** False when every SUB may be taken without asking. */
export function restrictsSubscribe(permissions: Permissions | undefined): boolean {
  return permissions !== undefined && (permissions.subscribeAllow !== undefined || permissions.subscribeDeny.length > 0);
}

export function messageFilter(permissions: Permissions): MessageFilter {
  return {
    allow: permissions.subscribeAllow?.map((rule) => rule.subject),
    deny: permissions.subscribeDeny.filter((rule) => rule.queue === undefined).map((rule) => rule.subject),
  };
}
