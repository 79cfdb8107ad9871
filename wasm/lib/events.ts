// The types of ring entries, their arguments in order. "Barrier": the parser has stopped behind the operation that made the
// entry, and the pointers stay valid until the next call of `ingest`.

/** conn, at, length: CONNECT's JSON. Barrier. */
export const EVENT_CONNECT: u32 = 1;
/** conn: a PING while the connection reports pings (before its first answer). Barrier. */
export const EVENT_PING: u32 = 2;
/** conn: a PONG. */
export const EVENT_PONG: u32 = 3;
/** conn, code (errors.ts), at, length: a protocol error; `at` and `length` say what, where there is something. Barrier. */
export const EVENT_ERROR: u32 = 4;
/** conn, subject, length, queue, length, sid, length: a SUB that the host must judge. Barrier. */
export const EVENT_SUBSCRIBE: u32 = 5;
/**
 * tag, conn or 0, account, subject, length, reply, length, header length, data, length: a message for a host subscription.
 * Barrier.
 */
export const EVENT_MESSAGE: u32 = 6;
/** conn, subject, length, reply, length, header length, data, length: a publish whose subject the host must map. Barrier. */
export const EVENT_MAP: u32 = 7;
/** conn, verb, at, length: trace of an inbound operation. Barrier. */
export const EVENT_TRACE_IN: u32 = 8;
/** conn, subject, length, sid, length, reply, length, header length, total: trace of a delivery. */
export const EVENT_TRACE_OUT: u32 = 9;
/** conn: authentication is needed before this verb. Barrier, nothing consumed. */
export const EVENT_UNAUTHENTICATED: u32 = 10;
/** conn: the client sent -ERR. Barrier. */
export const EVENT_CLIENT_ERROR: u32 = 11;
/**
 * target, kind, stream sequence low, high, consumer sequence low, high, deliveries, reply, length, data, length: an
 * acknowledgement (`kind` 0: plain ack). Barrier unless it is a plain ack without a reply.
 */
export const EVENT_ACK: u32 = 12;
/**
 * account, subject, length, reply, length, header length, data, length, conn or 0: a request that an import brought into an
 * account whose mappings speak of its subject. Barrier.
 */
export const EVENT_MAP_IMPORTED: u32 = 13;
/** sub, conn: a client subscribed in an account that imports streams; the host gives it its shadows. Barrier. */
export const EVENT_SUBSCRIBED: u32 = 14;
/**
 * number or 0, service, conn or 0, reply, length, header length, data: a request to a measured service, as it came. The number
 * stands for the reply awaited; 0: there will be none. Barrier.
 */
export const EVENT_SERVICE_ASKED: u32 = 15;
/** number, outcome (responses.ts), conn or 0: how a request to a measured service ended. */
export const EVENT_SERVICE_ENDED: u32 = 16;
/** account: subscriptions ended in an account that awaits replies of measured services. */
export const EVENT_INTEREST_LOST: u32 = 17;
/** Entries from this type on belong to the store (wasm/stream). */
export const EVENT_STORE: u32 = 32;
