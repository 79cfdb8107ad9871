// Consumer updates: what may not change, with nats-server's texts (error 10012 unless a row of its own), and equality.

import { apiError, type ApiError } from '../jetstream/errors.ts';
import { consumerConfigSchema, type ConsumerConfig } from '../jetstream/consumer-config.ts';
import { compareInstants } from '../jetstream/instant.ts';
import { writeDocument } from '../jetstream/schema.ts';

type Rule = readonly [wrong: (now: ConsumerConfig, before: ConsumerConfig) => boolean, text: string];

const rules: readonly Rule[] = [
  [(now, before) => now.deliver_policy !== before.deliver_policy, 'deliver policy can not be updated'],
  [(now, before) => now.mem_storage !== before.mem_storage, 'storage type can not be updated'],
  [(now, before) => now.opt_start_seq !== before.opt_start_seq, 'start sequence can not be updated'],
  [(now, before) => !sameStart(now, before), 'start time can not be updated'],
  [(now, before) => now.ack_policy !== before.ack_policy, 'ack policy can not be updated'],
  [(now, before) => now.replay_policy !== before.replay_policy, 'replay policy can not be updated'],
  [(now, before) => now.idle_heartbeat !== before.idle_heartbeat, 'heart beats can not be updated'],
  [(now, before) => now.flow_control !== before.flow_control, 'flow control can not be updated'],
  [(now, before) => before.deliver_subject === '' && now.deliver_subject !== '', 'can not update pull consumer to push based'],
  [(now, before) => before.deliver_subject !== '' && now.deliver_subject === '', 'can not update push consumer to pull based'],
];

function sameStart(now: ConsumerConfig, before: ConsumerConfig): boolean {
  if (now.opt_start_time === undefined || before.opt_start_time === undefined)
    return now.opt_start_time === before.opt_start_time;
  return compareInstants(now.opt_start_time, before.opt_start_time) === 0;
}

/** Why a consumer may not change from `before` to `now`; `bound`: somebody listens on the old deliver subject. */
export function consumerUpdateFault(now: ConsumerConfig, before: ConsumerConfig, bound: boolean): ApiError | undefined {
  if (sameConsumerConfig(now, before)) return undefined;
  const rule = rules.find(([wrong]) => wrong(now, before));
  if (rule !== undefined) return apiError('ConsumerCreateErrF', { err: rule[1] });
  if (now.deliver_subject !== before.deliver_subject && bound) return apiError('ConsumerNameExistErr');
  if (now.max_waiting !== before.max_waiting) return apiError('ConsumerCreateErrF', { err: 'max waiting can not be updated' });
  return undefined;
}

/** Whether two configurations say the same, as `action: create` of an existing consumer asks. */
export function sameConsumerConfig(a: ConsumerConfig, b: ConsumerConfig): boolean {
  return comparable(a) === comparable(b);
}

function comparable(config: ConsumerConfig): string {
  return JSON.stringify(writeDocument(consumerConfigSchema, config), (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
}
