// The message being routed. One at a time, so its parts are globals of the kernel: set by the parser or the host, read by the
// router, by framing and by the store. Addresses point into the inbound region, a carry buffer or the scratch region and are
// valid for this message only.

/** Connection that published, 0 when the server itself did. */
export let msgConnection: usize = 0;
/** Account whose subscribers are looked for. */
export let msgAccount: usize = 0;
export let msgSubject: usize = 0;
export let msgSubjectLength: u32 = 0;
export let msgReply: usize = 0;
/** 0: no reply subject. */
export let msgReplyLength: u32 = 0;
/** Bytes of headers at the front of the data; 0: none. */
export let msgHeaderLength: u32 = 0;
export let msgData: usize = 0;
/** Bytes of headers and payload together. */
export let msgDataLength: u32 = 0;

/** The digits of the size as the publisher wrote them; length 0: print the number. */
export let msgSize: usize = 0;
export let msgSizeLength: u32 = 0;
/** The same of the header size. */
export let msgHeaderSize: usize = 0;
export let msgHeaderSizeLength: u32 = 0;

/** Sets where the message comes from. */
// @ts-ignore: decorator
@inline
export function setOrigin(connection: usize, account: usize): void {
  msgConnection = connection;
  msgAccount = account;
}

/** Sets the subject. */
// @ts-ignore: decorator
@inline
export function setSubject(at: usize, length: u32): void {
  msgSubject = at;
  msgSubjectLength = length;
}

/** Sets the reply subject; length 0: none. */
// @ts-ignore: decorator
@inline
export function setReply(at: usize, length: u32): void {
  msgReply = at;
  msgReplyLength = length;
}

/** Sets headers and payload. */
// @ts-ignore: decorator
@inline
export function setData(at: usize, length: u32, headerLength: u32): void {
  msgData = at;
  msgDataLength = length;
  msgHeaderLength = headerLength;
  msgSizeLength = 0;
  msgHeaderSizeLength = 0;
}

/** Sets the sizes as the publisher wrote them, behind `setData`: receivers get the same digits, leading zeros too. */
// @ts-ignore: decorator
@inline
export function setSizes(at: usize, length: u32, headerAt: usize, headerLength: u32): void {
  msgSize = at;
  msgSizeLength = length;
  msgHeaderSize = headerAt;
  msgHeaderSizeLength = headerLength;
}
