// JetStream's settings and totals as /varz and /jsz both show them.

import type { Options } from '../../core/config/options.ts';
import { defaultOptions } from '../../core/config/options.ts';
import type { JetStreamAccountSnapshot, JetStreamApiCounts, JetStreamSnapshot, JetStreamUsage } from '../../engine/snapshot.ts';
import { nanoseconds, unlessEmpty, type Document } from './context.ts';

/** Shown as the sync interval when every round is synced before it is acknowledged. */
const defaultSyncIntervalMs = 120_000;

export function jetstreamConfigDocument(jetstream: JetStreamSnapshot, { jetstream: options }: Options): Document {
  const always = options.syncIntervalMs === 'always';
  return {
    max_memory: jetstream.config.maxMemory,
    max_storage: jetstream.config.maxStorage,
    store_dir: jetstream.config.storeDir,
    sync_interval: nanoseconds(options.syncIntervalMs === 'always' ? defaultSyncIntervalMs : options.syncIntervalMs),
    sync_always: unlessEmpty(always),
    domain: unlessEmpty(options.domain),
    compress_ok: unlessEmpty(options.maxMemory !== undefined && options.maxFile !== undefined),
    unique_tag: unlessEmpty(options.uniqueTag),
    strict: unlessEmpty(options.strict),
  };
}

export function jetstreamStatsDocument(jetstream: JetStreamSnapshot): Document {
  return {
    ...usageDocument(jetstream),
    accounts: jetstream.accounts().length,
    ha_assets: jetstream.haAssets,
    api: apiDocument(jetstream.api),
  };
}

export function jetstreamAccountStats(account: JetStreamAccountSnapshot): Document {
  return { ...usageDocument(account), accounts: 0, ha_assets: 0, api: { ...apiDocument(account.api), level: 0 } };
}

function usageDocument(usage: JetStreamUsage): Document {
  return {
    memory: usage.memory,
    storage: usage.storage,
    reserved_memory: reservation(usage.reservedMemory),
    reserved_storage: reservation(usage.reservedStorage),
  };
}

/** The field is an unsigned 64-bit integer, and no limit is its largest value. */
function reservation(bytes: number): number | bigint {
  return bytes < 0 ? BigInt.asUintN(64, BigInt(bytes)) : bytes;
}

function apiDocument({ level, total, errors, inflight }: JetStreamApiCounts): Document {
  return { level, total, errors, inflight: unlessEmpty(inflight) };
}

/** Only what differs from the built-in limits. */
export function jetstreamLimitsDocument({ jetstream: { limits } }: Options): Document {
  const usual = defaultOptions().jetstream.limits;
  const set = (key: keyof typeof usual): number | undefined =>
    limits[key] === usual[key] ? undefined : unlessEmpty(limits[key]);
  const duration = (key: 'duplicateWindowMs' | 'batchTimeoutMs'): number | bigint | undefined => {
    const ms = set(key);
    return ms === undefined ? undefined : nanoseconds(ms);
  };
  return {
    max_request_batch: set('maxRequestBatch'),
    max_ack_pending: set('maxAckPending'),
    max_ha_assets: set('maxHaAssets'),
    max_duplicate_window: duration('duplicateWindowMs'),
    max_batch_inflight_per_stream: set('batchMaxInflightPerStream'),
    max_batch_inflight_total: set('batchMaxInflightTotal'),
    max_batch_size: set('batchMaxMsgs'),
    max_batch_timeout: duration('batchTimeoutMs'),
  };
}
