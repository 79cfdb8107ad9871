// All sessions of a server: opens one per connection, follows reloads, announces lame duck, ends them at shutdown.
// Kept true: a session is in `#sessions` from its greeting until its connection is gone.
import { AccountRegistry } from '../../core/account/registry.ts';
import type { Options } from '../../core/config/options.ts';
import type { CloseReason } from '../../core/session/reasons.ts';
import type { TrustedAccount } from '../../core/auth/signed-user.ts';
import { SessionContext } from './context.ts';
import type { AccountLookup, CalloutAsker } from './context.ts';
import type { SessionPorts } from './context.ts';
import { SessionDriver } from './driver.ts';
import type { ListenPorts, ServerIdentity } from './server-info.ts';
import type { Session, SessionHost, SessionRegistry } from './session.ts';

export class Sessions implements SessionRegistry {
  readonly accounts: AccountRegistry;
  readonly #identity: ServerIdentity;
  readonly #context: SessionContext;
  readonly #sessions = new Map<number, SessionDriver>();
  #listening: ListenPorts = { clientPort: 0, webSocketPort: 0, connectUrls: [], webSocketConnectUrls: [], lameDuck: false };

  constructor(options: Options, identity: ServerIdentity, ports: SessionPorts) {
    this.accounts = new AccountRegistry(options);
    this.#identity = identity;
    this.#context = new SessionContext(options, identity, ports, this.accounts, this.#listening, (session) => {
      this.#sessions.delete(session.host.cid);
    });
  }

  get size(): number {
    return this.#sessions.size;
  }

  get authRequired(): boolean {
    return this.#context.clientInfo.authRequired;
  }

  get lameDuck(): boolean {
    return this.#listening.lameDuck;
  }

  open(host: SessionHost): Session {
    const nonce = this.#context.needsNonce(host.transport) ? this.#context.nonce() : '';
    const room = this.#sessions.size < this.#context.options.maxConnections;
    const session = new SessionDriver(host, this.#context, nonce, room);
    this.#sessions.set(host.cid, session);
    return session;
  }

  get(cid: number): Session | undefined {
    return this.#sessions.get(cid);
  }

  cids(): number[] {
    return [...this.#sessions.keys()];
  }

  /** The real ports, peers or lame duck changed: clients that take INFO at any time are told. */
  listen(change: Partial<ListenPorts>): void {
    this.#listening = { ...this.#listening, ...change };
    this.#context.renew(this.#context.options, this.#identity, this.#listening);
    this.#context.turn(() => {
      for (const session of this.#sessions.values()) session.step({ kind: 'infoChanged' });
    });
  }

  enterLameDuck(): void {
    this.listen({ lameDuck: true });
  }

  /** Takes new options: limits and permissions at once, and every session is judged again. */
  reload(options: Options): void {
    this.accounts.reload(options);
    this.#context.renew(options, this.#identity, this.#listening);
    this.#context.turn(() => {
      for (const session of [...this.#sessions.values()]) session.rejudge();
      this.#closeExcess(options.maxConnections);
      this.#closeExcessOfAccounts();
    });
  }

  /** Signed accounts have changed: whoever is in them is looked at again, the longest connected first. */
  review(names: ReadonlySet<string>, find: (name: string) => TrustedAccount | undefined): void {
    const counts = new Map<string, number>();
    this.#context.turn(() => {
      for (const session of [...this.#sessions.values()]) {
        const { account } = session.facts;
        if (!names.has(account)) continue;
        session.review(find(account), this.#hasRoom(account, counts));
      }
    });
  }

  /** Accounts of operator mode come from here. */
  set trust(trust: AccountLookup) {
    this.#context.trust = trust;
  }

  /** Services that decide about clients are asked through this. */
  set callout(callout: CalloutAsker) {
    this.#context.callout = callout;
  }

  /** One client is told that the server will go; nobody else hears of it. */
  sendAway(cid: number): void {
    this.#context.turn(() => this.#sessions.get(cid)?.step({ kind: 'sentAway' }));
  }

  end(cid: number, reason: CloseReason): void {
    this.#context.turn(() => this.#sessions.get(cid)?.end(reason));
  }

  endAll(reason: CloseReason): void {
    this.#context.turn(() => {
      for (const session of [...this.#sessions.values()]) session.end(reason);
    });
  }

  #closeExcess(maxConnections: number): void {
    const excess = [...this.#sessions.values()].slice(Math.max(0, maxConnections));
    for (const session of excess) session.end('maxConnections', 'maxConnections');
  }

  /** Accounts whose limit is lower now keep those that have been connected longest. */
  #closeExcessOfAccounts(): void {
    const counts = new Map<string, number>();
    for (const session of [...this.#sessions.values()]) {
      if (!this.#hasRoom(session.facts.account, counts)) session.end('maxAccountConnections', 'maxAccountConnections');
    }
  }

  /** Whether an account may have one more connection than were counted so far; if so it is counted. */
  #hasRoom(account: string, counts: Map<string, number>): boolean {
    const count = counts.get(account) ?? 0;
    const most = this.accounts.get(account)?.limits.maxConnections ?? -1;
    if (most >= 0 && count >= most) return false;
    counts.set(account, count + 1);
    return true;
  }
}
