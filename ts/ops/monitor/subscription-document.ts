// One subscription as connz and subsz list it.

import type { SubscriptionSnapshot } from '../../engine/snapshot.ts';
import { unlessEmpty, type Document } from './context.ts';

export function subscriptionDocument(subscription: SubscriptionSnapshot, withAccount: boolean): Document {
  const account = withAccount ? subscription.account : undefined;
  return {
    account,
    account_tag: account,
    subject: subscription.subject,
    qgroup: unlessEmpty(subscription.queue),
    sid: subscription.sid,
    msgs: subscription.msgs,
    max: unlessEmpty(subscription.max),
    cid: subscription.cid,
  };
}
