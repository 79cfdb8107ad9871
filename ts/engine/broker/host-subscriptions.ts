// Subscriptions of the server itself: a subject, and a function that gets each message. JetStream's API, the system services and whatever
// else answers requests inside the server come through here.

import type { HostMessage } from '../../kernel/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';

export interface HostSubscription {
  cancel(): void;
}

/** What the server itself subscribed to for one handler: its tag in `calls`, and the kernel's handles. There may be very many. */
class OwnSubscription implements HostSubscription {
  readonly #kernel: Kernel;
  readonly #calls: Map<number, unknown>;
  readonly #tag: number;
  readonly #handles: readonly number[];

  constructor(kernel: Kernel, calls: Map<number, unknown>, tag: number, handles: readonly number[]) {
    this.#kernel = kernel;
    this.#calls = calls;
    this.#tag = tag;
    this.#handles = handles;
  }

  cancel(): void {
    if (this.#calls.delete(this.#tag)) for (const handle of this.#handles) this.#kernel.unsubscribeServer(handle);
  }
}

export type MessageHandler = (message: HostMessage) => void;

export class HostSubscriptions {
  readonly #kernel: Kernel;
  readonly #handlers = new Map<number, MessageHandler>();
  #lastTag = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  subscribe(account: number, subject: string, queue: string, handler: MessageHandler): HostSubscription {
    const tag = ++this.#lastTag;
    const handle = this.#kernel.subscribeHost(account, subject, queue, tag);
    this.#handlers.set(tag, handler);
    return new OwnSubscription(this.#kernel, this.#handlers, tag, [handle]);
  }

  /** As `subscribe`, for direct gets of a stream: the kernel answers what it can, the handler gets the others. */
  subscribeDirect(account: number, subjects: readonly string[], stream: number, handler: MessageHandler): HostSubscription {
    const tag = this.open(handler);
    const handles = subjects.map((subject) => this.add(account, subject, tag));
    for (const handle of handles) this.#kernel.exports.answerFrom(handle, stream);
    return new OwnSubscription(this.#kernel, this.#handlers, tag, handles);
  }

  /** A tag for several subscriptions whose messages one handler gets; `add` makes them, `close` is called when they are gone. */
  open(handler: MessageHandler): number {
    this.#handlers.set(++this.#lastTag, handler);
    return this.#lastTag;
  }

  /** The kernel's handle of a subscription with a tag of `open`. */
  add(account: number, subject: string, tag: number): number {
    return this.#kernel.subscribeHost(account, subject, '', tag);
  }

  close(tag: number): void {
    this.#handlers.delete(tag);
  }

  /** Hands a message event to the handler of its tag; one that unsubscribed meanwhile is passed over. */
  dispatch(message: HostMessage): void {
    this.#handlers.get(message.tag)?.(message);
  }
}
