// What the system account may order of a running server, as the server does it: one client closed, one sent away, the configuration read again.

import type { ServerControl } from '../../ports/system.ts';
import type { Sessions } from '../session/sessions.ts';

/** Reads the configuration again; answers why that failed. */
export type Reload = () => string | undefined;

export class Control implements ServerControl {
  readonly #sessions: Sessions;
  /** Whoever started the server knows where its configuration came from. */
  reload: Reload = () => 'can only reload config when a file is provided using -c or --config';

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  kick(cid: number): string | undefined {
    if (this.#sessions.get(cid) === undefined) return 'no such client or leafnode id';
    this.#sessions.end(cid, 'kicked');
    return undefined;
  }

  sendAway(cid: number): string | undefined {
    const session = this.#sessions.get(cid);
    if (session === undefined) return 'no such client id';
    if (!session.facts.takesInfo) return 'client does not support Lame Duck Mode or is not ready to receive the notification';
    this.#sessions.sendAway(cid);
    return undefined;
  }
}
