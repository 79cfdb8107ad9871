// A consumer's configuration as its machine uses it: milliseconds and plain limits.

import type { ConsumerConfig } from '../jetstream/consumer-config.ts';
import { instantMs, millis } from '../jetstream/instant.ts';
import type { PaceSettings } from './pace.ts';

export interface ConsumerSettings extends PaceSettings {
  readonly push: boolean;
  readonly ackPolicy: ConsumerConfig['ack_policy'];
  readonly ackWaitMs: number;
  readonly backoffMs: readonly number[];
  /** 0: without end. */
  readonly maxDeliver: number;
  /** 0: without end. */
  readonly maxAckPending: number;
  readonly maxWaiting: number;
  readonly flowControl: boolean;
  readonly heartbeatMs: number;
  /** 0: never removed for being unused. */
  readonly inactiveMs: number;
  readonly pausedUntilMs: number;
  /** Of every hundred acknowledgements so many are reported; 0: none. */
  readonly samplePercent: number;
  /** The stream wants to know what is acknowledged for good. */
  readonly tellsSettled: boolean;
  readonly priorityPolicy: ConsumerConfig['priority_policy'];
  readonly priorityTimeoutMs: number;
}

/** What the consumer's settings take from its stream. */
export interface StreamSettings {
  readonly tellsSettled: boolean;
  /** The largest message it takes. */
  readonly maxMessageBytes: number;
}

const ephemeralInactiveMs = 5000;
const bitsPerByte = 8;
/** Who pulls may be between two requests. */
const pullGraceMs = 100;

export function settingsOf(config: ConsumerConfig, { tellsSettled, maxMessageBytes }: StreamSettings): ConsumerSettings {
  const configured = millis(config.inactive_threshold);
  const push = config.deliver_subject !== '';
  return {
    push,
    ackPolicy: config.ack_policy,
    ackWaitMs: millis(config.ack_wait),
    backoffMs: config.backoff.map(millis),
    maxDeliver: Math.max(0, config.max_deliver),
    maxAckPending: config.ack_policy === 'none' ? 0 : Math.max(0, config.max_ack_pending),
    maxWaiting: config.max_waiting,
    flowControl: config.flow_control,
    heartbeatMs: millis(config.idle_heartbeat),
    inactiveMs: configured > 0 ? configured + (push ? 0 : pullGraceMs) : config.durable_name === '' ? ephemeralInactiveMs : 0,
    pausedUntilMs: config.pause_until === undefined ? 0 : instantMs(config.pause_until),
    samplePercent: config.sample_freq === '' ? 0 : Math.min(100, Number(config.sample_freq.replace('%', ''))),
    tellsSettled,
    priorityPolicy: config.priority_policy,
    priorityTimeoutMs: millis(config.priority_timeout),
    rateBytesPerSecond: Math.floor(config.rate_limit_bps / bitsPerByte),
    rateBurstBytes: maxMessageBytes,
    replayOriginal: config.replay_policy === 'original',
  };
}
