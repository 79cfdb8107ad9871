// JetStream with the real disk behind it.

import type { JetStreamLife, JetStreamParts } from '../engine/server/jetstream-life.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';

export interface JetStreamNodePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Builds JetStream for a server. */
export function makeJetStream(parts: JetStreamParts, _ports: JetStreamNodePorts): Promise<JetStreamLife> {
  return Promise.reject(new Error(`JetStream is not built in yet, for ${parts.identity.serverName}`));
}
