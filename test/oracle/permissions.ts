/**
 * What a connection may publish and subscribe to: the twin of the kernel's permission sets.
 *
 * Lists hold patterns; a subscribe list may also hold `pattern queue`, which speaks of one queue group (or of the
 * groups its wildcard covers). A missing allow list allows everything; deny overrules. A subscription that is wider than
 * a deny pattern is accepted and filtered message by message.
 */
import { Matcher, covers, hasWildcard, overlaps } from './matcher.ts';

export interface List {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

export interface Permissions {
  readonly publish?: List;
  readonly subscribe?: List;
  /** Replies a service may send to subjects it was asked on, by number; time limits are the caller's. */
  readonly responses?: { readonly max: number };
}

function matcherOf(patterns: readonly string[]): Matcher<string> {
  const matcher = new Matcher<string>();
  for (const pattern of patterns) {
    const [subject = '', queue = null] = pattern.trim().split(/\s+/);
    matcher.insert({ subject, queue, value: pattern });
  }
  return matcher;
}

/** The queue is named, or lies under a wildcard name. */
function namesQueue(names: Iterable<string>, queue: string): boolean {
  for (const name of names) {
    if (name === queue || (hasWildcard(name) && covers(name, queue))) return true;
  }
  return false;
}

export function mayPublish(permissions: Permissions | null, subject: string): boolean {
  const list = permissions?.publish;
  if (list === undefined) return true;
  if (list.allow !== undefined && matcherOf(list.allow).match(subject).plain.length === 0) return false;
  return list.deny === undefined || matcherOf(list.deny).match(subject).plain.length === 0;
}

export function maySubscribe(permissions: Permissions | null, subject: string, queue: string | null): boolean {
  const list = permissions?.subscribe;
  if (list === undefined) return true;
  if (list.allow !== undefined && list.allow.length > 0) {
    const found = matcherOf(list.allow).match(subject);
    const allowed = queue !== null && found.groups.size > 0 ? namesQueue(found.groups.keys(), queue) : found.plain.length > 0;
    if (!allowed) return false;
  }
  return list.deny === undefined || !isDenied(list.deny, subject, queue);
}

function isDenied(deny: readonly string[], subject: string, queue: string | null): boolean {
  const found = matcherOf(deny).match(subject);
  return found.plain.length > 0 || (queue !== null && namesQueue(found.groups.keys(), queue));
}

/**
 * The subscriptions that Slipstream refuses beyond what nats-server does: a queue subscription wide enough to hear a
 * subject that is denied to its queue alone, since messages are filtered by subject only.
 */
export function tooWideForQueue(permissions: Permissions | null, subject: string, queue: string | null): boolean {
  if (queue === null || !hasWildcard(subject)) return false;
  return (permissions?.subscribe?.deny ?? []).some((pattern) => {
    const [denied = '', name] = pattern.trim().split(/\s+/);
    return name !== undefined && namesQueue([name], queue) && overlaps(denied, subject);
  });
}

/** What Slipstream lets through to a subscription with wildcards: each message's own subject must be allowed and not denied. */
export function mayHear(permissions: Permissions | null, subject: string): boolean {
  const { allow = [], deny = [] } = permissions?.subscribe ?? {};
  const subjects = (list: readonly string[]): string[] => list.map((pattern) => pattern.trim().split(/\s+/)[0] ?? '');
  if (allow.length > 0 && matcherOf(subjects(allow)).match(subject).plain.length === 0) return false;
  return !isDenied(deny, subject, null);
}

/** A subscription of this shape makes the connection filter what it receives, from then on and for all its subscriptions. */
export function startsFilter(permissions: Permissions | null, subject: string, queue: string | null): boolean {
  const deny = permissions?.subscribe?.deny ?? [];
  if (queue === null && !hasWildcard(subject)) return false;
  return deny.some((pattern) => overlaps(pattern.trim().split(/\s+/)[0] ?? '', subject));
}

/** Only asked of connections whose filter has started. */
export function mayReceive(permissions: Permissions | null, subject: string, queue: string | null): boolean {
  return !isDenied(permissions?.subscribe?.deny ?? [], subject, queue);
}
