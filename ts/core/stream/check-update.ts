// Stream updates: what may change, with nats-server's exact errors, and what sealing forces.

import { apiError, type ApiError } from '../jetstream/errors.ts';
import { writeDocument } from '../jetstream/schema.ts';
import { streamConfigSchema, type StreamConfig } from '../jetstream/stream-config.ts';
import { checkStreamConfig, type Checked, type StreamSurroundings } from './check-config.ts';

type Rule = readonly [wrong: (now: StreamConfig, before: StreamConfig) => boolean, text: string];

const rules: readonly Rule[] = [
  [(now, before) => now.name !== before.name, 'stream configuration name must match original'],
  [(now, before) => now.storage !== before.storage, 'stream configuration update can not change storage type'],
  [
    (now, before) => now.retention !== before.retention && (now.retention === 'workqueue' || before.retention === 'workqueue'),
    'stream configuration update can not change retention policy to/from workqueue',
  ],
  [(now, before) => before.sealed && !now.sealed, 'stream configuration update can not unseal a sealed stream'],
  [(now, before) => before.deny_delete && !now.deny_delete, 'stream configuration update can not cancel deny message deletes'],
  [(now, before) => before.deny_purge && !now.deny_purge, 'stream configuration update can not cancel deny purge'],
];

const laterRules: readonly Rule[] = [
  [(now, before) => before.allow_msg_ttl && !now.allow_msg_ttl, 'message TTL status can not be disabled'],
  [
    (now, before) => before.allow_msg_counter !== now.allow_msg_counter,
    'stream configuration update can not change message counter setting',
  ],
  [(now, before) => before.allow_msg_schedules && !now.allow_msg_schedules, 'message schedules can not be disabled'],
  [(now, before) => before.persist_mode !== now.persist_mode, 'stream configuration update can not change persist mode'],
];

/** The configuration a stream has after an update, or why it may not have it. */
export function checkStreamUpdate(
  given: StreamConfig,
  before: StreamConfig,
  around: StreamSurroundings,
  pedantic: boolean,
): Checked {
  const checked = checkStreamConfig(given, around, pedantic);
  if ('error' in checked) return checked;
  const { config } = checked;
  const broken = firstBroken(rules, config, before);
  if (broken !== undefined) return { error: broken };
  if (config.mirror !== undefined && !sameMirror(config, before)) return { error: apiError('StreamMirrorNotUpdatableErr') };
  const late = firstBroken(laterRules, config, before);
  if (late !== undefined) return { error: late };
  const { republish } = config;
  const kept = republish?.dest === '' ? { ...config, republish: { ...republish, dest: '>' } } : config;
  if (!config.sealed) return { config: kept };
  return { config: { ...kept, max_age: 0n, discard: 'new', deny_delete: true, deny_purge: true, allow_rollup_hdrs: false } };
}

function firstBroken(table: readonly Rule[], now: StreamConfig, before: StreamConfig): ApiError | undefined {
  const rule = table.find(([wrong]) => wrong(now, before));
  return rule === undefined ? undefined : apiError('StreamInvalidConfigF', { err: rule[1] });
}

function sameMirror(a: StreamConfig, b: StreamConfig): boolean {
  return comparable({ mirror: a.mirror }) === comparable({ mirror: b.mirror });
}

/** Whether two configurations say the same, as an idempotent create asks. */
export function sameStreamConfig(a: StreamConfig, b: StreamConfig): boolean {
  return comparable(a) === comparable(b);
}

function comparable(document: object): string {
  return JSON.stringify(writeDocument(streamConfigSchema, document), (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
}
