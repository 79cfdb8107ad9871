// What monitoring reads about a session: getters over the machine, so that nothing is copied for a connection.
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

export class LiveFacts implements SessionFacts {
  readonly #machine: SessionMachine;
  readonly #own: OwnFacts;

  constructor(machine: SessionMachine, own: OwnFacts) {
    this.#machine = machine;
    this.#own = own;
  }

  get label(): string {
    return this.#own.label();
  }

  get tags(): readonly string[] {
    return this.#machine.admission?.granted.signed?.tags ?? noTags;
  }

  get jwt(): string {
    return this.#machine.admission?.granted.signed?.jwt ?? '';
  }

  get issuerKey(): string {
    return this.#machine.admission?.granted.signed?.signer ?? '';
  }

  get nameTag(): string {
    return this.#machine.admission?.granted.signed?.accountTag ?? '';
  }

  get account(): string {
    return this.#machine.admission?.granted.account ?? '';
  }

  get authorizedUser(): string {
    const { connected, admission, connect } = this.#machine;
    const granted = connected ? admission?.granted.user : undefined;
    return granted || givenUser(connect);
  }

  get name(): string {
    return this.#machine.connect.name;
  }

  get lang(): string {
    return this.#machine.connect.lang;
  }

  get version(): string {
    return this.#machine.connect.version;
  }

  get nkey(): string {
    return this.#machine.connect.nkey;
  }

  get rttMs(): number | undefined {
    return this.#machine.pings.rttMs ?? this.#own.connectedAfterMs();
  }

  get authorized(): boolean {
    return this.#machine.connected;
  }

  get takesInfo(): boolean {
    return this.#machine.takesInfo;
  }
}
