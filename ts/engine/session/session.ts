// The seam between the broker, which owns a connection's bytes and its kernel side, and the session, which decides about it.
// The broker implements `SessionHost`, opens a `Session` for every accepted transport and tells it what the kernel found.
// A session never touches a socket or the kernel; after it called `close` it is told `onClosed` and nothing else.
import type { WireError } from '../../core/session/errors.ts';
import type { CloseReason } from '../../core/session/reasons.ts';
import type { BindSpec } from '../../core/session/session-types.ts';
import type { Transport } from '../../ports/connection.ts';

export type { BindSpec } from '../../core/session/session-types.ts';

/** `filtered`: taken, but each message is checked against the subscribe permissions before it is delivered. */
export type SubscribeVerdict = 'ok' | 'filtered' | 'denied';

export interface SessionHost {
  readonly cid: number;
  readonly transport: Transport;
  /** Queues protocol text behind everything queued so far; flushed with the turn. */
  send(text: string): void;
  bind(spec: BindSpec): void;
  /** Removes every subscription of the connection (a repeated CONNECT). */
  dropSubscriptions(): void;
  /** A CONNECT that was `pending` is decided: go on with the bytes held back since. */
  proceed(): void;
  /** Flushes what is queued, then ends the transport with the reason. Bytes still coming in are ignored. */
  close(reason: CloseReason): void;
  /** Monotonic time of the last bytes read from the peer; the answer to a ping alone does not count. */
  lastInputMs(): number;
  /** The connection's subscriptions, for a reload that takes permissions away. */
  subscriptions(): readonly { readonly subject: string; readonly queue: string; readonly sid: string }[];
  unsubscribe(sid: string): void;
  /** Called once the first PING was answered: from here the kernel may answer PING itself without telling. */
  answerPings(): void;
}

export interface Session {
  readonly facts: SessionFacts;
  /** The first call, once the host knows its session: sends INFO (or refuses: too many connections) through `host.send` before it returns. */
  begin(): void;
  /** The JSON after CONNECT. `pending`: hold all further bytes of the connection until `host.proceed()`. */
  onConnect(json: string): 'decided' | 'pending';
  /** A PING the kernel has not answered; the session sends the PONG. */
  onPing(): void;
  onPong(): void;
  /** Something the kernel refused. The session sends the `-ERR` and closes where the table says so. `detail`: the subject, where there is one. */
  onError(error: WireError, detail?: string): void;
  /** Only when bound with `judgeSubscribes`. For `denied` the `-ERR` has been sent, and no +OK is due. `queue` is empty for a plain subscription. */
  onSubscribe(subject: string, queue: string, sid: string): SubscribeVerdict;
  /** The connection is gone: the last call. */
  onClosed(reason: CloseReason): void;
}

/** What monitoring shows about a session; a live view, read it when needed. */
export interface SessionFacts {
  /** How the log names the connection. */
  readonly label: string;
  readonly account: string;
  readonly authorizedUser: string;
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  readonly nkey: string;
  readonly jwt: string;
  readonly tags: readonly string[];
  /** The key that signed the user, and its account's name; empty for users that nobody signed. */
  readonly issuerKey: string;
  readonly nameTag: string;
  /** Milliseconds; undefined until a ping of ours was answered. */
  readonly rttMs: number | undefined;
  /** Between accept and a good CONNECT false. */
  readonly authorized: boolean;
  /** The client announced protocol 1 or more, so INFO may be sent at any time. */
  readonly takesInfo: boolean;
}

/** The server-wide side: made once per server, asked for a session per connection. */
export interface SessionRegistry {
  open(host: SessionHost): Session;
}
