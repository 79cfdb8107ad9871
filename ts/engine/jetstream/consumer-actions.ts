// CONSUMER requests that change what a running consumer does: pause, reset, unpin.

import { storedConsumerMetadata } from '../../core/jetstream/api-level.ts';
import type { ConsumerConfig } from '../../core/jetstream/consumer-config.ts';
import { priorityGroupName } from '../../core/consumer/check-config.ts';
import {
  compareInstants,
  formatInstant,
  instantMs,
  isZeroInstant,
  zeroInstant,
  type Instant,
} from '../../core/jetstream/instant.ts';
import type { Schema } from '../../core/jetstream/schema.ts';
import type { Consumer } from './consumer.ts';
import { consumerOf, isObject, readLenient, readRequest, refuse, type ApiHandler } from './request.ts';

const pauseSchema: Schema = { name: 'JSApiConsumerPauseRequest', fields: { pause_until: { kind: { is: 'time' } } } };
const unpinSchema: Schema = { name: 'JSApiConsumerUnpinRequest', fields: { group: { kind: { is: 'string' } } } };
const resetSchema: Schema = {
  name: 'JSApiConsumerResetRequest',
  fields: { seq: { kind: { is: 'integer', type: 'uint64' } } },
};

export const pause: ApiHandler = (request) => {
  const asked = isObject(request) ? readRequest<{ pause_until: Instant | undefined }>(request, pauseSchema) : undefined;
  const consumer = consumerOf(request);
  const given = asked?.pause_until;
  const until = given === undefined || isZeroInstant(given) ? undefined : given;
  const before = consumer.config.pause_until ?? zeroInstant;
  const config: ConsumerConfig = { ...consumer.config, pause_until: until };
  consumer.update({ ...config, metadata: storedConsumerMetadata(config) });
  if (compareInstants(before, until ?? zeroInstant) !== 0) consumer.advisePaused();

  const now = request.account.ports.clock.wallInstant();
  const paused = until !== undefined && compareInstants(until, now) > 0;
  const fields = {
    paused,
    pause_until: formatInstant(until ?? zeroInstant),
    pause_remaining: paused ? BigInt(Math.round((instantMs(until) - instantMs(now)) * 1e6)) : undefined,
  };
  return { fields, after: consumer.stream };
};

export const unpin: ApiHandler = (request) => {
  const { group } = readLenient<{ group: string }>(request, unpinSchema);
  if (group === '') refuse('InvalidJSONErr', { err: 'consumer group not specified' });
  if (!priorityGroupName.test(group)) refuse('ConsumerInvalidGroupNameErr');
  const consumer = consumerOf(request);
  if (!consumer.config.priority_groups.includes(group)) refuse('ConsumerInvalidPriorityGroupErr');
  consumer.unpin(group);
  return { fields: {} };
};

/** Unlike other requests it is the consumer's own: one that does not exist does not answer, and nobody counts or audits it. */
export const reset: ApiHandler = (request) => {
  const { account, message, parts } = request;
  const consumer = account.streams.get(parts[0] ?? '')?.consumers.get(parts[1] ?? '');
  if (consumer === undefined || message.reply === '') return undefined;
  const { seq } = message.payload.length === 0 ? { seq: 0 } : readLenient<{ seq: number }>(request, resetSchema);
  const nextSeq = seq === 0 ? consumer.machine.info().ackFloor.stream + 1 : seq;
  const fault = seq === 0 ? undefined : resetFault(consumer, seq);
  if (fault !== undefined) refuse('ConsumerInvalidResetErr', { err: fault });
  consumer.reset(nextSeq);
  return { fields: { ...consumer.info(true), reset_seq: nextSeq }, after: consumer.stream };
};

/** Why a consumer may not begin anew at a sequence. */
function resetFault({ config, stream }: Consumer, seq: number): string | undefined {
  switch (config.deliver_policy) {
    case 'all':
      return undefined;
    case 'by_start_sequence':
      return seq < config.opt_start_seq ? 'below start seq' : undefined;
    case 'by_start_time':
      return config.opt_start_time !== undefined && seq < stream.store.seqAtTime(config.opt_start_time)
        ? 'below start time'
        : undefined;
    case 'last':
    case 'new':
    case 'last_per_subject':
      return 'not allowed';
  }
}
