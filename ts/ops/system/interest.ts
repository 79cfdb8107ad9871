// How many clients would receive a subject: `$SYS.DEBUG.SUBSCRIBERS`, asked in an account about itself with `subject [queue]` as text, and
// `$SYS.REQ.ACCOUNT.NSUBS`, asked by servers about any account. Subscriptions of the server itself are not counted.

import { hasWildcard, isSubsetMatch } from '../../core/subject/subject.ts';
import type { EngineView } from '../../engine/snapshot.ts';
import type { Body } from './requests.ts';

function subscribersOf(view: EngineView, account: string, subject: string, queue: string | undefined): number {
  const wanted = hasWildcard(subject)
    ? (own: string): boolean => isSubsetMatch(own, subject)
    : (own: string): boolean => isSubsetMatch(subject, own);
  const chosen = view
    .subscriptions({ account })
    .filter((row) => row.cid !== 0 && wanted(row.subject) && (queue === undefined || row.queue === queue));
  return chosen.length;
}

/** The text form. */
export function countAsked(view: EngineView, account: string, request: string): number {
  const [subject = '', queue] = request.trim().split(' ');
  return subscribersOf(view, account, subject, queue);
}

/** The form of servers; undefined: silence, of accounts without clients here. */
export function countForServer(view: EngineView, { acc, subject, queue }: Body): number | undefined {
  const account = view.accounts().find(({ name }) => name === acc);
  if (account === undefined || account.clientConnections === 0 || typeof subject !== 'string') return undefined;
  const group = typeof queue === 'string' && queue !== '' ? Buffer.from(queue, 'base64').toString() : undefined;
  return subscribersOf(view, account.name, subject, group);
}
