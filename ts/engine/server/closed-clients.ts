// The last connections that are gone, for `connz?state=closed`: a ring of max_closed_clients.

import type { ClosedConnection } from '../snapshot.ts';

export class ClosedClients {
  readonly #most: number;
  readonly #ring: ClosedConnection[] = [];
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(connection: ClosedConnection): void {
    if (this.#most <= 0) return;
    if (this.#ring.length < this.#most) this.#ring.push(connection);
    else this.#ring[this.#next] = connection;
    this.#next = (this.#next + 1) % this.#most;
  }

  /** Oldest first. */
  all(): readonly ClosedConnection[] {
    if (this.#ring.length < this.#most) return this.#ring;
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }
}
