// The arguments and results of a delivery: one block of fields that the host writes and reads, so that it goes on with the same
// call once it has put the next window in place. The twin of the offsets is ts/engine/store/deliver-call.ts.

/** One delivery, from its first call to its last. */
@unmanaged
export class DeliverCall {
  /** In, moved on by the kernel: sequence to go on from, numbers of the next message. */
  next: f64;
  consumerSeq: f64;
  pending: f64;
  /** In: last sequence that may go, deliveries of each message. */
  to: f64;
  deliveries: f64;
  /** Out: last sequence delivered. In and out of a direct get's batch: the one before. */
  last: f64;
  stream: usize;
  /** In: the window: its address, block, and range of offsets. */
  window: usize;
  windowBlock: u32;
  windowFrom: u32;
  windowTo: u32;
  /** In, counted down: messages and bytes that may still go. */
  messages: u32;
  bytes: u32;
  subject: usize;
  subjectLength: u32;
  prefix: usize;
  prefixLength: u32;
  /** In: the selection (selection.ts), 0 for every message. */
  selection: usize;
  /** The only subject there can be, where the selection is of one. */
  leaf: usize;
  /** In: ADD_* of compose.ts: the headers that messages get. */
  adds: u32;
  /** In: where delivered sequences go, as f64. Out: how many. */
  list: usize;
  count: u32;
  /** Out: the record that is needed in the window, or that is damaged. */
  needBlock: u32;
  needOffset: u32;
  needLength: u32;
  /** In, counted down: entries that may be looked at. */
  looks: u32;
  /** In: a header line with its CRLF that every message carries behind its own headers; length 0: none. */
  extra: usize;
  extraLength: u32;
  /** In: the messages go to an inbox as a direct get answers (DIRECT_*); 0: to a consumer. */
  direct: u32;
  /** In: sequences to deliver, as f64, and how many; 0: those from `next` on. Out: how many of them are done with. */
  picks: usize;
  pickCount: u32;
  picked: u32;
  /** The only subscription the subject reaches, 0 where there are several or other kinds. */
  receiver: usize;
}

/** Where the host puts the call. */
export const CALL: usize = memory.data(192, 16);

/** Results of `deliver`. */
export const DELIVER_END: u32 = 0;
export const DELIVER_MESSAGES: u32 = 1;
export const DELIVER_BYTES: u32 = 2;
export const DELIVER_INTEREST: u32 = 3;
export const DELIVER_WINDOW: u32 = 4;
export const DELIVER_DAMAGED: u32 = 5;
/** Parts of the index are lost. */
export const DELIVER_LOST: u32 = 6;
