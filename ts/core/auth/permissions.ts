// What a user may publish and subscribe: the compiled, immutable form that sessions judge with and the kernel is loaded from.
// `undefined` for a whole `Permissions` means everything is allowed. The kernel keeps one set per object, so equal users share one object.

/** One entry of a subscribe list: a subject and, for entries written as "subject queue", the queue pattern that it is about. */
export interface SubscribeRule {
  readonly subject: string;
  readonly queue: string | undefined;
}

/** `allow_responses`: how many replies, and for how long, to each reply subject received. Negative means without limit. */
export interface ResponseRule {
  readonly maxMsgs: number;
  readonly expiresMs: number;
}

export interface Permissions {
  /** `undefined`: every subject not denied; an empty list: none. */
  readonly publishAllow: readonly string[] | undefined;
  readonly publishDeny: readonly string[];
  /** `undefined`: every subject not denied. */
  readonly subscribeAllow: readonly SubscribeRule[] | undefined;
  readonly subscribeDeny: readonly SubscribeRule[];
  readonly responses: ResponseRule | undefined;
}
