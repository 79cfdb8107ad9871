// Priority groups of a pull consumer: which waiting request may be served now, and the client that is pinned.
//
//   overflow        a request with thresholds is served only while enough is to be delivered or to be acknowledged
//   pinned_client   one client gets everything; it is pinned when it is served first, and loses the pin when it asks for nothing for
//                   `priority_timeout`, or when an operator takes it
//   prioritized     requests of a lower level go first (the waiting queue keeps that order)
//
// Kept true: a pin is announced only with a message that was delivered under it.

import type { Outputs } from './outputs.ts';
import type { ConsumerSettings } from './settings.ts';
import type { WaitingRequest } from './waiting.ts';

/** `later`: others may be served before it; `wrong`: it holds a pin that is not valid any more. */
export type Turn = 'now' | 'later' | 'wrong';

export interface Pin {
  readonly id: string;
  readonly sinceMs: number;
}

export const noPin: Pin = { id: '', sinceMs: 0 };

export class PriorityGroups {
  readonly #outputs: Outputs;
  readonly #freshId: () => string;
  #settings: ConsumerSettings;
  #pin = noPin;
  #group = '';
  #lostAtMs = Infinity;
  /** The pin that the request served next gets if a message goes out. */
  #offered = '';

  constructor(settings: ConsumerSettings, freshId: () => string, outputs: Outputs) {
    this.#settings = settings;
    this.#freshId = freshId;
    this.#outputs = outputs;
  }

  configure(settings: ConsumerSettings): void {
    this.#settings = settings;
  }

  get pin(): Pin {
    return this.#pin;
  }

  /** When the pin is lost if its client asks for nothing. */
  get lostAtMs(): number {
    return this.#lostAtMs;
  }

  /** A request came in. False: it holds another pin than the one that is valid. */
  asked({ group, pinId }: { readonly group: string; readonly pinId: string }, nowMs: number): boolean {
    if (this.#settings.priorityPolicy === 'none' || this.#pin.id === '') return true;
    if (pinId !== this.#pin.id) return pinId === '';
    this.#keep(group, nowMs);
    return true;
  }

  #keep(group: string, nowMs: number): void {
    this.#group = group;
    this.#lostAtMs = nowMs + this.#settings.priorityTimeoutMs;
  }

  /** Whether a request may be served while `pending` messages are to be delivered, with the next one, and `ackPending` to be acknowledged. */
  turnOf({ priority }: WaitingRequest, pending: number, ackPending: number): Turn {
    switch (this.#settings.priorityPolicy) {
      case 'none':
      case 'prioritized':
        return 'now';
      case 'overflow': {
        const { minPending = 0, minAckPending = 0 } = priority ?? {};
        if (minPending <= 0 && minAckPending <= 0) return 'now';
        const served = (minPending > 0 && minPending <= pending) || (minAckPending > 0 && minAckPending <= ackPending);
        return served ? 'now' : 'later';
      }
      case 'pinned_client': {
        const pinId = priority?.pinId ?? '';
        if (this.#pin.id === '') return pinId === '' ? 'now' : 'wrong';
        if (pinId === this.#pin.id) return 'now';
        return pinId === '' ? 'later' : 'wrong';
      }
    }
  }

  /** How many messages a request may get before it has to be judged again. */
  mostFor({ priority }: WaitingRequest, pending: number, ackPending: number): number {
    if (this.#settings.priorityPolicy !== 'overflow' || priority === undefined) return Infinity;
    const { minPending, minAckPending } = priority;
    if (minAckPending > 0 && minAckPending <= ackPending) return Infinity;
    return minPending > 0 ? Math.max(1, pending - minPending + 1) : Infinity;
  }

  /** The pin that messages to a request carry; undefined where there are no pins. */
  pinFor({ priority }: WaitingRequest): string | undefined {
    if (this.#settings.priorityPolicy !== 'pinned_client') return undefined;
    if (this.#pin.id !== '') return this.#pin.id;
    if (priority === undefined) return '';
    if (this.#offered === '') this.#offered = this.#freshId();
    return this.#offered;
  }

  /** Messages went to a request: its client is the pinned one now. */
  served(request: WaitingRequest, nowMs: number): void {
    const { priority } = request;
    if (this.#settings.priorityPolicy !== 'pinned_client' || this.#pin.id !== '' || priority === undefined) return;
    this.#pin = { id: this.#offered, sinceMs: nowMs };
    this.#offered = '';
    request.priority = { ...priority, pinId: this.#pin.id };
    this.#keep(priority.group, nowMs);
    this.#outputs.say({
      is: 'advisory',
      id: 'consumerPinned',
      fields: { domain: undefined, group: priority.group, pinned_id: this.#pin.id },
    });
  }

  /** An operator takes the pin away. */
  unpin(group: string): void {
    this.#lose(group, 'admin');
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#lostAtMs) this.#lose(this.#group, 'timeout');
  }

  #lose(group: string, reason: 'admin' | 'timeout'): void {
    this.#pin = noPin;
    this.#lostAtMs = Infinity;
    this.#outputs.say({ is: 'advisory', id: 'consumerUnpinned', fields: { domain: undefined, group, reason } });
  }
}
