// What goes into the session machine and what comes out of it. Kept apart from the machine so that drivers and tests read one page.
import type { Granted } from '../auth/decide.ts';
import type { Permissions } from '../auth/permissions.ts';
import type { ConnectOptions } from './connect.ts';
import type { WireError } from './errors.ts';
import type { CloseReason } from './reasons.ts';

/** What a connection may do from now on. Binding again (a second CONNECT, a reload) drops nothing by itself. */
export interface BindSpec {
  /** Account name; the broker maps it to the kernel's account. */
  readonly account: string;
  readonly verbose: boolean;
  readonly pedantic: boolean;
  readonly echo: boolean;
  /** MSG or HMSG for messages with headers, and HPUB accepted. */
  readonly headers: boolean;
  readonly noResponders: boolean;
  /** Bytes; a negative number is no limit. */
  readonly maxPayload: number;
  /** 0 is no limit. */
  readonly maxSubs: number;
  /** Tokens a subscribed subject may have; 0 is no limit. */
  readonly maxSubTokens: number;
  readonly permissions: Permissions | undefined;
  /** False: only CONNECT is understood, any other verb is `beforeConnect`. */
  readonly authorized: boolean;
  /** A CONNECT was accepted. */
  readonly connected: boolean;
  /** True: every SUB is a barrier and asked of `onSubscribe`; false: the kernel takes SUB at once. */
  readonly judgeSubscribes: boolean;
  /** Bound to the system account, which may publish on the server's own subjects. */
  readonly isSystem: boolean;
}

/** A grant with what the account allows its connections. */
export interface Admission {
  readonly granted: Granted;
  readonly isSystem: boolean;
  readonly maxPayload: number;
  readonly maxSubs: number;
}

/** Numbers of the listener and the server that a session follows; a reload may replace them. */
export interface SessionSettings {
  /** Undefined: nobody has to authenticate in time. */
  readonly authTimeoutMs: number | undefined;
  readonly pingIntervalMs: number;
  readonly pingMax: number;
  readonly maxSubTokens: number;
  readonly headers: boolean;
}

export type TimerName = 'auth' | 'ping';

export type SessionEvent =
  | {
      readonly kind: 'opened';
      /** False when the server is full. */
      readonly room: boolean;
      readonly startTls: boolean;
      /** It may come through a proxy, so its address is not known yet. */
      readonly introduces: boolean;
      /** Whom the connection is before it said CONNECT; undefined: nobody. */
      readonly admission: Admission | undefined;
    }
  | { readonly kind: 'introduced'; readonly clientIp: string }
  | { readonly kind: 'notIntroduced' }
  /** What was agreed, in words; undefined: the peer stays with plain bytes, where it may. */
  | { readonly kind: 'tlsDone'; readonly agreed: string | undefined }
  | { readonly kind: 'tlsFailed'; readonly problem: string }
  | { readonly kind: 'connect'; readonly json: string }
  | { readonly kind: 'admitted'; readonly admission: Admission }
  | { readonly kind: 'notAdmitted'; readonly error: WireError }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong'; readonly nowMs: number }
  | { readonly kind: 'timer'; readonly timer: TimerName; readonly nowMs: number; readonly lastInputMs: number }
  | { readonly kind: 'kernelError'; readonly error: WireError; readonly detail: string }
  | {
      readonly kind: 'subscribeDenied';
      readonly subject: string;
      readonly queue: string;
      readonly sid: string;
      readonly removed: boolean;
    }
  /** INFO changed: lame duck, reload. */
  | { readonly kind: 'infoChanged' }
  /** This client alone is to go elsewhere. */
  | { readonly kind: 'sentAway' }
  /** Limits or permissions changed by a reload. */
  | { readonly kind: 'readmitted'; readonly admission: Admission }
  | { readonly kind: 'settingsChanged' }
  | { readonly kind: 'end'; readonly error: WireError | undefined; readonly reason: CloseReason };

export type SessionAction =
  | { readonly do: 'send'; readonly text: string }
  | { readonly do: 'bind'; readonly spec: BindSpec }
  /** Ask who this is; answer with `admitted` or `notAdmitted`. */
  | { readonly do: 'authenticate'; readonly connect: ConnectOptions }
  | { readonly do: 'dropSubscriptions' }
  | { readonly do: 'answerPings' }
  /** Answered with `introduced` or `notIntroduced`. */
  | { readonly do: 'introduce' }
  | { readonly do: 'startTls' }
  /** Undefined: stop it. Setting a running timer replaces it. */
  | { readonly do: 'timer'; readonly timer: TimerName; readonly delayMs: number | undefined }
  | { readonly do: 'log'; readonly level: 'debug' | 'error'; readonly text: string }
  | { readonly do: 'close'; readonly reason: CloseReason };
