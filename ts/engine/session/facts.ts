// What monitoring reads about a session: getters over the machine, so that nothing is copied per connection.
import type { ConnectOptions } from '../../core/session/connect.ts';
import type { SessionMachine } from '../../core/session/machine.ts';
import type { SessionFacts } from './session.ts';

const noTags: readonly string[] = [];

/** What the driver knows beside its machine. */
export interface OwnFacts {
  label(): string;
  connectedAfterMs(): number | undefined;
}

/** Who a client says it is, also one that was refused or that nobody asked. */
function givenUser({ nkey, user, authToken }: ConnectOptions): string {
  if (nkey !== '') return nkey;
  if (user !== '') return user;
  return authToken === '' ? '' : '[REDACTED]';
}

export function sessionFacts(machine: SessionMachine, own: OwnFacts): SessionFacts {
  return {
    get label() {
      return own.label();
    },
    get account() {
      return machine.admission?.granted.account ?? '';
    },
    get authorizedUser() {
      const granted = machine.connected ? machine.admission?.granted.user : undefined;
      return granted || givenUser(machine.connect);
    },
    get name() {
      return machine.connect.name;
    },
    get lang() {
      return machine.connect.lang;
    },
    get version() {
      return machine.connect.version;
    },
    get nkey() {
      return machine.connect.nkey;
    },
    get jwt() {
      return '';
    },
    tags: noTags,
    get rttMs() {
      return machine.pings.rttMs ?? own.connectedAfterMs();
    },
    get authorized() {
      return machine.connected;
    },
    get takesInfo() {
      return machine.takesInfo;
    },
  };
}
