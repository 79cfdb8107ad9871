// Numbers that both sides of the kernel's border know; the AssemblyScript twins are wasm/lib/events.ts, wasm/lib/errors.ts and
// wasm/deliver/connection.ts, and a test holds them together.

/** Types of ring entries. */
export const event = {
  connect: 1,
  ping: 2,
  pong: 3,
  error: 4,
  subscribe: 5,
  message: 6,
  map: 7,
  traceIn: 8,
  traceOut: 9,
  unauthenticated: 10,
  clientError: 11,
  ack: 12,
  mapImported: 13,
  subscribed: 14,
  serviceAsked: 15,
  serviceEnded: 16,
  interestLost: 17,
  /** From here on: the store's. */
  store: 32,
} as const;

/** Flags of a connection. */
export const flag = {
  unauthenticated: 1,
  verbose: 2,
  pedantic: 4,
  noEcho: 8,
  headers: 16,
  noResponders: 32,
  judgeSubscribe: 64,
  trace: 128,
  reportPing: 256,
  headersOff: 512,
  system: 1024,
  closed: 0x10000,
  slow: 0x20000,
} as const;

/** Codes of error entries. */
export const errorCode = {
  unknownOperation: 1,
  badArguments: 2,
  controlLine: 3,
  payload: 4,
  subject: 5,
  subscriptions: 7,
  publishDenied: 8,
  replyDenied: 9,
} as const;

/** Kinds of subscriptions of the server itself. */
export const subscriptionKind = { client: 0, host: 1, stream: 2, ack: 3, shadow: 4, service: 5, response: 6 } as const;

/** How a request to a measured service ended; twin of wasm/deliver/measured.ts. */
export const measuredOutcome = { answered: 0, notTaken: 1, timedOut: 2 } as const;

/** Bytes of the inbound region. */
export const INBOUND_SIZE = 1 << 20;
/** Bytes of the scratch region. */
export const SCRATCH_SIZE = 65536;
/** Words of the event ring. */
export const RING_WORDS = 65536;
/** Bytes of one record of a subscription listing. */
export const LISTING_RECORD = 56;
