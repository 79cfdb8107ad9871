// The system account's requests and events as the server's life sees them.

import type { ClaimsDoor } from '../../ports/claims.ts';
import type { ServerControl, SystemDoor } from '../../ports/system.ts';
import type { ClosedConnection, ConnectionSnapshot, EngineView, MessageTrace, ServiceMeasure } from '../snapshot.ts';

export interface SystemLife {
  start(): void;
  /** Accounts may have come and gone. */
  reload(): void;
  stop(): void;
  lameDuck(): void;
  /** Clients are there for the last time. */
  shutdown(): void;
  joined(connection: ConnectionSnapshot): void;
  left(connection: ClosedConnection): void;
  traced(trace: MessageTrace): void;
  measured(measure: ServiceMeasure): void;
}

export interface SystemParts {
  readonly view: EngineView;
  readonly door: SystemDoor;
  /** Where JWTs of accounts are handed in; set where operators are trusted. */
  readonly claims?: ClaimsDoor;
  readonly control: ServerControl;
}

export type SystemMaker = (parts: SystemParts) => SystemLife;
