// /subsz: the matcher's counters and, when asked, the subscriptions themselves. Two documents a tool may compare are alike here:
// the counters of one account or of the whole server, and the list filtered the same way.

import { isSubsetMatch, isValidLiteral } from '../../core/subject/subject.ts';
import type { EngineView, MatcherStats } from '../../engine/snapshot.ts';
import { instantText, unlessEmpty, type Document } from './context.ts';
import { BadRequest, flag, page, slice, text, type Page } from './query.ts';
import { subscriptionDocument } from './subscription-document.ts';

export interface SubszOptions {
  readonly subscriptions: boolean;
  readonly page: Page;
  readonly account: string;
  /** A literal subject; only subscriptions that match it are listed. */
  readonly test: string;
}

const noStats: MatcherStats = {
  subscriptions: 0,
  cacheEntries: 0,
  inserts: 0,
  removes: 0,
  matches: 0,
  cacheHits: 0,
  maxFanout: 0,
  averageFanout: 0,
};

export function subszOptions(query: URLSearchParams): SubszOptions {
  const subscriptions = flag(query, 'subs');
  const wanted = page(query);
  const test = text(query, 'test');
  if (test !== '' && !isValidLiteral(test)) throw new BadRequest(`invalid test subject, must be valid publish subject: ${test}`);
  return { subscriptions, page: wanted, account: text(query, 'acc'), test };
}

export function subsz(view: EngineView, options: SubszOptions): Document {
  const server = view.server();
  const all = options.subscriptions ? view.subscriptions(options.account === '' ? {} : { account: options.account }) : [];
  const matching = options.test === '' ? all : all.filter(({ subject }) => isSubsetMatch(options.test, subject));
  const listed = slice(matching, options.page);
  return {
    server_id: server.id,
    now: instantText(server.now),
    ...matcherDocument(view.matcher(options.account === '' ? undefined : options.account)),
    total: matching.length,
    offset: options.page.offset,
    limit: options.page.limit,
    subscriptions_list: unlessEmpty(listed.map((subscription) => subscriptionDocument(subscription, true))),
  };
}

/** The counters by themselves, as accountz shows them too. */
export function matcherDocument(stats: MatcherStats | undefined): Document {
  const counted = stats ?? noStats;
  return {
    num_subscriptions: counted.subscriptions,
    num_cache: counted.cacheEntries,
    num_inserts: counted.inserts,
    num_removes: counted.removes,
    num_matches: counted.matches,
    cache_hit_rate: counted.matches === 0 ? 0 : counted.cacheHits / counted.matches,
    max_fanout: counted.maxFanout,
    avg_fanout: counted.averageFanout,
  };
}
