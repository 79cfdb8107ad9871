// The system account's requests and events as the server's life sees them.

import type { CertificateFacts } from '../../core/ocsp/answer.ts';
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
  /** A certificate of a peer's chain is not in order. */
  linkInvalid(peer: CertificateFacts, link: CertificateFacts, reason: string): void;
  /** A peer was not let in for its certificates. */
  peerRejected(peer: CertificateFacts, reason: string): void;
}

export interface SystemParts {
  readonly view: EngineView;
  readonly door: SystemDoor;
  /** Where JWTs of accounts are handed in; set where operators are trusted. */
  readonly claims?: ClaimsDoor;
  readonly control: ServerControl;
}

export type SystemMaker = (parts: SystemParts) => SystemLife;
