// `$JS.API.INFO`: usage, limits and counts of an account.

import { apiLevel } from '../../core/jetstream/api-level.ts';
import type { ApiHandler } from './request.ts';

export const accountInfo: ApiHandler = ({ account }) => {
  const { limits, settings } = account;
  return {
    fields: {
      memory: account.stored('memory'),
      storage: account.stored('file'),
      reserved_memory: account.reserved('memory'),
      reserved_storage: account.reserved('file'),
      streams: account.streams.size,
      consumers: account.consumerCount(),
      limits: {
        max_memory: limits.maxMemory,
        max_storage: limits.maxStorage,
        max_streams: limits.maxStreams,
        max_consumers: limits.maxConsumers,
        max_ack_pending: limits.maxAckPending,
        memory_max_stream_bytes: limits.memoryMaxStreamBytes,
        storage_max_stream_bytes: limits.storageMaxStreamBytes,
        max_bytes_required: limits.maxBytesRequired,
      },
      domain: settings.domain === '' ? undefined : settings.domain,
      api: { level: apiLevel, total: account.apiTotal - 1, errors: account.apiErrors },
    },
  };
};
