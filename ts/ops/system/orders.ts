// The table of what the system account may order of one server, by its id: `$SYS.REQ.SERVER.<id>.<name>`. An order that names no
// connection in the form it takes is passed over in silence, as in nats-server.

import type { ServerControl } from '../../ports/system.ts';
import type { Body } from './requests.ts';

/** A connection by its number; undefined where the document names none that could be one. */
function connectionOf(body: Body): number | undefined {
  const { cid = 0 } = body;
  return typeof cid === 'number' && Number.isInteger(cid) && cid >= 0 ? cid : undefined;
}

export interface Order {
  /** Whether the request must have a document. */
  readonly named: boolean;
  /** Answers why it was not done. `silent`: there is nothing to answer. */
  readonly carryOut: (control: ServerControl, body: Body) => string | undefined | typeof silent;
}

export const silent: unique symbol = Symbol('silent');

function aboutConnection(order: (control: ServerControl, cid: number) => string | undefined): Order {
  return {
    named: true,
    carryOut: (control, body) => {
      const cid = connectionOf(body);
      return cid === undefined ? silent : order(control, cid);
    },
  };
}

export const orders: Readonly<Record<string, Order>> = {
  KICK: aboutConnection((control, cid) => control.kick(cid)),
  LDM: aboutConnection((control, cid) => control.sendAway(cid)),
  RELOAD: { named: false, carryOut: (control) => control.reload() },
};
