/** What a server allows JetStream in tests that have no configuration: everything, and as many batches as the test says. */
import type { ServerLimits } from '../../ts/engine/jetstream/ports.ts';

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
