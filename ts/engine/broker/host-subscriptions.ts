// Subscriptions of the server itself: a subject, and a function that gets each message. JetStream's API, the system services and whatever
// else answers requests inside the server come through here.

import type { HostMessage } from '../../kernel/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { KernelAccounts } from './accounts.ts';

export interface HostSubscription {
  unsubscribe(): void;
}

/** A message with its account; arrays are copies. */
export interface ReceivedMessage extends HostMessage {
  readonly accountName: string;
}

export type MessageHandler = (message: ReceivedMessage) => void;

export class HostSubscriptions {
  readonly #kernel: Kernel;
  readonly #accounts: KernelAccounts;
  readonly #handlers = new Map<number, MessageHandler>();
  #lastTag = 0;

  constructor(kernel: Kernel, accounts: KernelAccounts) {
    this.#kernel = kernel;
    this.#accounts = accounts;
  }

  subscribe(account: number, subject: string, queue: string, handler: MessageHandler): HostSubscription {
    const tag = ++this.#lastTag;
    const handle = this.#kernel.subscribeHost(account, subject, queue, tag);
    this.#handlers.set(tag, handler);
    return {
      unsubscribe: () => {
        if (this.#handlers.delete(tag)) this.#kernel.unsubscribeServer(handle);
      },
    };
  }

  /** Hands a message event to the handler of its tag; one that unsubscribed meanwhile is passed over. */
  dispatch(message: HostMessage): void {
    const accountName = this.#accounts.byId(message.account)?.name ?? '';
    this.#handlers.get(message.tag)?.({ ...message, accountName });
  }
}
