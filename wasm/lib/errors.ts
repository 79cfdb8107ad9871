// What can be wrong with a client's bytes: the codes of EVENT_ERROR. Texts and consequences are the host's
// (ts/core/session/errors.ts).

/** Not a verb, or a payload without its line end. */
export const ERROR_UNKNOWN_OPERATION: u32 = 1;
/** Wrong number of arguments, unreadable sizes, headers while they are off: closed without a word. */
export const ERROR_BAD_ARGUMENTS: u32 = 2;
/** Arguments longer than max_control_line. */
export const ERROR_CONTROL_LINE: u32 = 3;
/** Payload larger than max_payload. */
export const ERROR_PAYLOAD: u32 = 4;
/** SUB on a subject that is none. */
export const ERROR_SUBJECT: u32 = 5;
/** More subscriptions than allowed. */
export const ERROR_SUBSCRIPTIONS: u32 = 7;
/** Publish to a subject that permissions forbid. */
export const ERROR_PUBLISH_DENIED: u32 = 8;
/** Publish with a reply subject that is reserved. */
export const ERROR_REPLY_DENIED: u32 = 9;
