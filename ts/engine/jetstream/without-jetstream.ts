// The API in accounts that have no JetStream while the server has: every known request is answered with that error, so that a client
// learns the reason instead of waiting. The system account is answered whatever it asks.

import { apiPrefix, findApiRoute, responseType } from '../../core/jetstream/api.ts';
import { apiError } from '../../core/jetstream/errors.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import { apiPrefixes, apiSubjects, heardSubjects } from './api-subjects.ts';
import type { Door, InboundMessage, ServerSubscription } from './ports.ts';

const encoder = new TextEncoder();

function all(subscriptions: readonly ServerSubscription[]): ServerSubscription {
  return {
    cancel: () => {
      for (const subscription of subscriptions) subscription.cancel();
    },
  };
}

function refuse(door: Door, account: number, reply: string, type: string, fields: object = {}): void {
  if (reply === '') return;
  const answer = { type: responseType(type), error: apiError('NotEnabledForAccountErr'), ...fields };
  door.publish(account, reply, '', undefined, encoder.encode(encodeJson(answer)));
}

/** Answers in one account until cancelled. */
export function refuseApi(door: Door, account: number, domain: string): ServerSubscription {
  const answer = (prefix: string, { subject, reply }: InboundMessage): void => {
    const row = findApiRoute(`${apiPrefix}${subject.slice(prefix.length)}`)?.row;
    if (row?.type !== undefined) refuse(door, account, reply, row.type, row.withError);
  };
  const subscriptions = apiPrefixes(domain).flatMap((prefix) =>
    apiSubjects.map((subject) => door.subscribe(account, `${prefix}.${subject}`, (message) => answer(prefix, message))),
  );
  return all([door.hear(account, heardSubjects(domain)), ...subscriptions]);
}

/** Requests of the system account that are about the cluster or about other accounts. */
const isOthers = /^\$JS\.API\.(META\.LEADER\.STEPDOWN$|SERVER\.REMOVE$|ACCOUNT\.)/;

/** The same in the system account. */
export function refuseSystem(door: Door, account: number): ServerSubscription {
  return door.subscribe(account, `${apiPrefix}.>`, ({ subject, reply }) => {
    if (isOthers.test(subject)) return;
    const type = subject === `${apiPrefix}.INFO` ? 'account_info_response' : 'system_response';
    refuse(door, account, reply, type);
  });
}
