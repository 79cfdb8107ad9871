// What monitoring reads about a session: getters over the machine, so that nothing is copied per connection.
import type { SessionMachine } from '../../core/session/machine.ts';
import type { SessionFacts } from './session.ts';

const noTags: readonly string[] = [];

export function sessionFacts(machine: SessionMachine, label: () => string): SessionFacts {
  return {
    get label() {
      return label();
    },
    get account() {
      return machine.admission?.granted.account ?? '';
    },
    get authorizedUser() {
      return machine.connected ? (machine.admission?.granted.user ?? '') : '';
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
      return machine.pings.rttMs;
    },
    get authorized() {
      return machine.connected;
    },
    get takesInfo() {
      return machine.takesInfo;
    },
  };
}
