// The API in accounts that have no JetStream while the server has: every known request is answered with that error, so that a client
// learns the reason instead of waiting.

import { findApiRoute, responseType } from '../../core/jetstream/api.ts';
import { apiError } from '../../core/jetstream/errors.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import { apiSubjects } from './dispatcher.ts';
import type { Door, ServerSubscription } from './ports.ts';

const encoder = new TextEncoder();

/** Answers in one account until cancelled. */
export function refuseApi(door: Door, account: number): ServerSubscription {
  const subscriptions = apiSubjects.map((subject) =>
    door.subscribe(account, `$JS.API.${subject}`, (message) => {
      const row = findApiRoute(message.subject)?.row;
      if (row?.type === undefined || message.reply === '') return;
      const answer = { type: responseType(row.type), error: apiError('NotEnabledForAccountErr'), ...row.withError };
      door.publish(account, message.reply, '', undefined, encoder.encode(encodeJson(answer)));
    }),
  );
  return {
    cancel: () => {
      for (const subscription of subscriptions) subscription.cancel();
    },
  };
}
