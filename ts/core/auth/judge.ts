// Judging a SUB against a user's subscribe lists, and a subject against the publish lists.
// A pattern is tested as if its wildcards were plain tokens, as nats-server does; where such a pattern reaches beyond what the
// lists allow, or overlaps a denied subject, it is taken with every message checked. (nats-server does not check against the
// allow list there, so that `foo.>` under an allowed `foo.*` hears `foo.a.b`; we do not follow it in that.)
import { hasWildcard, isSubset, isValidSubject, matchesLiteral, subjectsOverlap, tokens } from '../subject/subject.ts';
import type { Permissions, SubscribeRule } from './permissions.ts';

export type SubscribeJudgement = 'ok' | 'filtered' | 'denied';

/** Queue name reserved for the server's own subscriptions. */
const SYSTEM_QUEUE = '_sys_';

function queueMatches(queue: string, rules: readonly SubscribeRule[]): boolean {
  const name = tokens(queue);
  return rules.some((rule) => rule.queue !== undefined && (rule.queue === queue || matchesLiteral(name, tokens(rule.queue))));
}

interface Found {
  readonly plain: boolean;
  readonly queued: readonly SubscribeRule[];
}

function find(rules: readonly SubscribeRule[], subject: readonly string[]): Found {
  // A subject with an empty token is none, and nothing covers it.
  if (subject.includes('')) return { plain: false, queued: [] };
  const matching = rules.filter((rule) => matchesLiteral(subject, tokens(rule.subject)));
  return {
    plain: matching.some((rule) => rule.queue === undefined),
    queued: matching.filter((rule) => rule.queue !== undefined),
  };
}

function isAllowed(rules: readonly SubscribeRule[], subject: readonly string[], queue: string): boolean {
  const found = find(rules, subject);
  if (queue !== '' && found.queued.length > 0) return queueMatches(queue, found.queued);
  return found.plain;
}

function isDenied(rules: readonly SubscribeRule[], subject: readonly string[], queue: string): boolean {
  const found = find(rules, subject);
  return found.plain || (queue !== '' && queueMatches(queue, found.queued));
}

export function judgeSubscribe(permissions: Permissions | undefined, subject: string, queue: string): SubscribeJudgement {
  if (queue === SYSTEM_QUEUE) return 'denied';
  if (permissions === undefined) return 'ok';
  const parts = tokens(subject);
  const { subscribeAllow: allow, subscribeDeny: deny } = permissions;
  if (allow !== undefined && !isAllowed(allow, parts, queue)) return 'denied';
  if (isDenied(deny, parts, queue)) return 'denied';
  if (!hasWildcard(subject)) return 'ok';
  const overlapping = deny.filter((rule) => subjectsOverlap(rule.subject, subject));
  // The kernel's filter knows subjects, not queues: a queue that could hear what its name is denied is refused whole.
  if (queue !== '' && queueMatches(queue, overlapping)) return 'denied';
  if (overlapping.some((rule) => rule.queue === undefined)) return 'filtered';
  const covered = allow === undefined || allow.some((rule) => isSubset(parts, tokens(rule.subject)));
  return covered ? 'ok' : 'filtered';
}

/** The kernel judges publishes of clients; this is for those the server makes in a user's name. */
export function mayPublish(permissions: Permissions | undefined, subject: string): boolean {
  if (!isValidSubject(subject)) return false;
  if (permissions === undefined) return true;
  const parts = tokens(subject);
  const matches = (pattern: string): boolean => matchesLiteral(parts, tokens(pattern));
  if (permissions.publishDeny.some(matches)) return false;
  return permissions.publishAllow === undefined || permissions.publishAllow.some(matches);
}
