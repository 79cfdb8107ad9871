/** What a server and an account allow JetStream in tests that have no configuration: everything, and as many batches as the test says. */
import type { AccountLimits, ServerLimits } from '../../ts/engine/jetstream/ports.ts';

export const unlimited: AccountLimits = {
  maxMemory: -1,
  maxStorage: -1,
  maxStreams: -1,
  maxConsumers: -1,
  maxAckPending: -1,
  memoryMaxStreamBytes: -1,
  storageMaxStreamBytes: -1,
  maxBytesRequired: false,
};

export function serverLimits(batch: ServerLimits['batch']): ServerLimits {
  return {
    maxAckPending: 0,
    maxRequestBatch: 0,
    duplicateWindowNanos: 0n,
    batch,
    requests: { changes: 10_000, infos: 10_000 },
    maxMemory: -1,
    maxStorage: -1,
  };
}
