// JetStream as the server's life cycle sees it, so that a server without it carries none of it.

import type { Options } from '../../core/config/options.ts';
import type { Broker } from '../broker/broker.ts';
import type { Sessions } from '../session/sessions.ts';
import type { ServerIdentity } from '../session/server-info.ts';
import type { JetStreamSnapshot } from '../snapshot.ts';

export interface JetStreamLife {
  /** Recovers what the store directory holds and opens the API; resolves when streams serve. */
  start(): Promise<void>;
  /** Resolves when accounts that are new serve. */
  reload(options: Options): Promise<void>;
  /** Accounts that have something on disk. */
  storedAccounts(): string[];
  /** Syncs and closes everything. */
  stop(): Promise<void>;
  snapshot(): JetStreamSnapshot;
}

export interface JetStreamParts {
  readonly options: Options;
  readonly identity: ServerIdentity;
  readonly broker: Broker;
  readonly sessions: Sessions;
}

/** Builds JetStream for a server; given by the app, which knows the real disk. */
export type JetStreamMaker = (parts: JetStreamParts) => Promise<JetStreamLife>;
