// `$JS.API.INFO`: usage, limits and counts of an account.

import { apiLevel } from '../../core/jetstream/api-level.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { JetStreamAccount } from './account.ts';
import type { AccountLimits } from './ports.ts';
import type { ApiHandler } from './request.ts';
import { usage } from './snapshots.ts';

function limitsDocument(limits: AccountLimits): Document {
  return {
    max_memory: limits.maxMemory,
    max_storage: limits.maxStorage,
    max_streams: limits.maxStreams,
    max_consumers: limits.maxConsumers,
    max_ack_pending: limits.maxAckPending,
    memory_max_stream_bytes: limits.memoryMaxStreamBytes,
    storage_max_stream_bytes: limits.storageMaxStreamBytes,
    max_bytes_required: limits.maxBytesRequired,
  };
}

function usageDocument(account: JetStreamAccount): Document {
  const { memory, storage, reservedMemory, reservedStorage } = usage(account);
  return {
    memory,
    storage,
    reserved_memory: reservedMemory,
    reserved_storage: reservedStorage,
    streams: account.streams.size,
    consumers: account.consumerCount(),
  };
}

/** Where limits are by tiers, nothing is said of the account as a whole. */
const unsaid: AccountLimits = {
  maxMemory: 0,
  maxStorage: 0,
  maxStreams: 0,
  maxConsumers: 0,
  maxAckPending: 0,
  memoryMaxStreamBytes: 0,
  storageMaxStreamBytes: 0,
  maxBytesRequired: false,
};
const unused: Document = { memory: 0, storage: 0, reserved_memory: 0, reserved_storage: 0, streams: 0, consumers: 0 };

/** Every stream of this server has one replica. */
function tiersDocument(account: JetStreamAccount): Document | undefined {
  const { tiers } = account.limits;
  if (tiers === undefined) return undefined;
  const rows = Object.entries(tiers).map(([name, limits]) => [
    name,
    { ...(name === 'R1' ? usageDocument(account) : unused), limits: limitsDocument(limits) },
  ]);
  return Object.fromEntries(rows) as Document;
}

/** INFO: what an account has and may have. */
export const accountInfo: ApiHandler = ({ account }) => {
  const { limits, settings } = account;
  return {
    fields: {
      ...usageDocument(account),
      limits: limitsDocument(limits.tiers === undefined ? limits : unsaid),
      domain: settings.domain === '' ? undefined : settings.domain,
      api: { level: apiLevel, total: account.apiTotal - 1, errors: account.apiErrors },
      tiers: tiersDocument(account),
    },
  };
};
