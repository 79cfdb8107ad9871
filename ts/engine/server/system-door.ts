// The broker's door for the system account's requests and events.

import type { SystemClient, SystemDoor, SystemRequest } from '../../ports/system.ts';
import type { Broker } from '../broker/broker.ts';

const nothing = new Uint8Array(0);

export class BrokerSystemDoor implements SystemDoor {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  subscribe(account: string, subject: string, call: (request: SystemRequest) => void, queue = ''): { cancel(): void } {
    const { accounts, host } = this.#broker;
    return host.subscribe(accounts.get(account).handle, subject, queue, (message) =>
      call({ ...message, account, client: this.#client(message.connection, account) }),
    );
  }

  #client(index: number, account: string): SystemClient | undefined {
    const connection = index === 0 ? undefined : this.#broker.at(index);
    if (connection === undefined || connection.account?.name !== account) return undefined;
    return { user: connection.session.facts.authorizedUser, permissions: connection.permissions };
  }

  publish(account: string, subject: string, payload: Uint8Array, reply = ''): void {
    const { accounts, kernel } = this.#broker;
    this.#broker.turn(() => kernel.publish(accounts.get(account).handle, subject, reply, nothing, payload));
  }

  listens(account: string, subject: string): boolean {
    return this.#broker.kernel.hasInterest(this.#broker.accounts.get(account).handle, subject);
  }
}
