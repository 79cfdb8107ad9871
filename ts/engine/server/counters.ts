// Traffic by account that outlives its connections: open ones are read from the kernel, gone ones are added up here.

import type { Kernel } from '../../kernel/kernel.ts';
import type { ClientConnection } from '../broker/client.ts';

export interface AccountTraffic {
  inMsgs: number;
  inBytes: number;
  outMsgs: number;
  outBytes: number;
  slowConsumers: number;
}

function noTraffic(): AccountTraffic {
  return { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0, slowConsumers: 0 };
}

export function addTraffic(to: AccountTraffic, kernel: Kernel, connection: ClientConnection): void {
  const { exports } = kernel;
  to.inMsgs += exports.connectionInMsgs(connection.index);
  to.inBytes += exports.connectionInBytes(connection.index);
  to.outMsgs += exports.connectionOutMsgs(connection.index);
  to.outBytes += exports.connectionOutBytes(connection.index);
  to.slowConsumers += connection.slowTimes;
}

export class GoneTraffic {
  readonly #byAccount = new Map<string, AccountTraffic>();

  add(account: string, kernel: Kernel, connection: ClientConnection): void {
    const traffic = this.#byAccount.get(account) ?? noTraffic();
    addTraffic(traffic, kernel, connection);
    this.#byAccount.set(account, traffic);
  }

  of(account: string): AccountTraffic {
    return { ...(this.#byAccount.get(account) ?? noTraffic()) };
  }
}
