// The queue of pull requests that wait for messages, oldest first. Requests take turns: one that was served and wants more goes to the back,
// in a prioritized queue behind those of its own level.

import type { PullRequest, RequestPriority } from './pull-request.ts';

export interface WaitingRequest {
  readonly reply: string;
  /** Messages still wanted. */
  wanted: number;
  /** Bytes still allowed; 0 with `limited` false is no limit. */
  bytes: number;
  readonly limited: boolean;
  readonly noWait: boolean;
  /** 0: never. */
  readonly expiresAtMs: number;
  readonly heartbeatMs: number;
  heartbeatAtMs: number;
  delivered: number;
  /** Its pin is given by the consumer when it is served first. */
  priority: RequestPriority | undefined;
}

/** Requests without a priority come last. */
function levelOf({ priority }: WaitingRequest): number {
  return priority?.level ?? Infinity;
}

/** Shared by queues without requests, as most consumers are idle. */
const none: WaitingRequest[] = [];

export class WaitingQueue {
  readonly #limit: number;
  #requests = none;
  /** Orders requests by their level. */
  prioritized = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#requests.length;
  }

  get isFull(): boolean {
    return this.#requests.length >= this.#limit;
  }

  /** Messages all requests together still want. */
  get wanted(): number {
    return this.#requests.reduce((sum, { wanted }) => sum + wanted, 0);
  }

  add(request: PullRequest, reply: string, nowMs: number): void {
    this.#insert({
      reply,
      wanted: request.batch,
      bytes: request.maxBytes,
      limited: request.maxBytes > 0,
      noWait: request.noWait,
      expiresAtMs: request.expiresMs > 0 ? nowMs + request.expiresMs : 0,
      heartbeatMs: request.heartbeatMs,
      heartbeatAtMs: request.heartbeatMs > 0 ? nowMs + request.heartbeatMs : 0,
      delivered: 0,
      priority: request.priority,
    });
  }

  #insert(request: WaitingRequest): void {
    if (this.#requests === none) this.#requests = [];
    if (!this.prioritized) return void this.#requests.push(request);
    const behind = this.#requests.findIndex((other) => levelOf(other) > levelOf(request));
    this.#requests.splice(behind < 0 ? this.#requests.length : behind, 0, request);
  }

  first(): WaitingRequest | undefined {
    return this.#requests[0];
  }

  /** The first request had its turn: it leaves, or waits behind the others. */
  rotate(done: boolean): void {
    const request = this.#requests.shift();
    if (this.#requests.length === 0) this.#requests = none;
    if (request !== undefined && !done) this.#insert(request);
  }

  /** Whether only the first request may be served now: alone, or the only one of its level. */
  get isAlone(): boolean {
    const [first, second] = this.#requests;
    return second === undefined || (this.prioritized && first !== undefined && levelOf(second) > levelOf(first));
  }

  /** Keeps the requests that `keep` wants kept. */
  filter(keep: (request: WaitingRequest) => boolean): void {
    if (this.#requests === none) return;
    const kept = this.#requests.filter(keep);
    this.#requests = kept.length > 0 ? kept : none;
  }

  /** When the next request expires or wants a heartbeat; undefined: never. */
  nextAtMs(): number | undefined {
    let next: number | undefined;
    for (const { expiresAtMs, heartbeatAtMs } of this.#requests) {
      for (const at of [expiresAtMs, heartbeatAtMs]) if (at > 0 && (next === undefined || at < next)) next = at;
    }
    return next;
  }
}
