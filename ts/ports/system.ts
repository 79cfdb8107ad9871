// What the system account's requests and events need of the broker: subscriptions of the server in any account, publishing there, and
// who it was that asked; and what it may order of the server.

import type { Permissions } from '../core/auth/permissions.ts';

export interface SystemClient {
  readonly user: string;
  readonly permissions: Permissions | undefined;
}

export interface SystemRequest {
  /** The account it was made in. */
  readonly account: string;
  readonly subject: string;
  /** Empty: nobody waits. */
  readonly reply: string;
  readonly payload: Uint8Array;
  /** Undefined: the server itself, or a client of another account. */
  readonly client: SystemClient | undefined;
}

/** What the system account may order of this server. Each answers undefined when it was done, and else why it was not. */
export interface ServerControl {
  /** Closes the connection. */
  kick(cid: number): string | undefined;
  /** Tells the client to go elsewhere, and leaves it alone. */
  sendAway(cid: number): string | undefined;
  /** Reads the configuration again. */
  reload(): string | undefined;
}

export interface SystemDoor {
  subscribe(account: string, subject: string, call: (request: SystemRequest) => void, queue?: string): { cancel(): void };
  publish(account: string, subject: string, payload: Uint8Array, reply?: string): void;
  listens(account: string, subject: string): boolean;
}
