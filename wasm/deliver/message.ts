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

/** The data as published, while the message carries a header about who asks; 0: it carries none. Streams keep this one. */
export let bareData: usize = 0;
export let bareLength: u32 = 0;
export let bareHeaderLength: u32 = 0;

/** Sets the data that streams keep. */
export function setBare(at: usize, length: u32, headerLength: u32): void {
  bareData = at;
  bareLength = length;
  bareHeaderLength = headerLength;
}

/** The subject whose subscribers are looked for: the message's own or a deliver subject. Kept where accounts have imports. */
export let routed: usize = 0;
export let routedLength: u32 = 0;

/** Sets the subject that is being routed. */
// @ts-ignore: decorator
@inline
export function setRouted(at: usize, length: u32): void {
  routed = at;
  routedLength = length;
}

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

/** Bytes that `saveMessage` writes. */
export const SAVED_MESSAGE: usize = 64;

/** Writes the message down, for `restoreMessage`. */
export function saveMessage(to: usize): void {
  store<u32>(to, <u32>msgConnection);
  store<u32>(to, <u32>msgAccount, 4);
  store<u32>(to, <u32>msgSubject, 8);
  store<u32>(to, msgSubjectLength, 12);
  store<u32>(to, <u32>msgReply, 16);
  store<u32>(to, msgReplyLength, 20);
  store<u32>(to, msgHeaderLength, 24);
  store<u32>(to, <u32>msgData, 28);
  store<u32>(to, msgDataLength, 32);
  store<u32>(to, <u32>msgSize, 36);
  store<u32>(to, msgSizeLength, 40);
  store<u32>(to, <u32>msgHeaderSize, 44);
  store<u32>(to, msgHeaderSizeLength, 48);
  store<u32>(to, <u32>routed, 52);
  store<u32>(to, routedLength, 56);
}

/** Makes the message what it was when it was written down. */
export function restoreMessage(from: usize): void {
  setOrigin(load<u32>(from), load<u32>(from, 4));
  setSubject(load<u32>(from, 8), load<u32>(from, 12));
  setReply(load<u32>(from, 16), load<u32>(from, 20));
  setData(load<u32>(from, 28), load<u32>(from, 32), load<u32>(from, 24));
  setSizes(load<u32>(from, 36), load<u32>(from, 40), load<u32>(from, 44), load<u32>(from, 48));
  setRouted(load<u32>(from, 52), load<u32>(from, 56));
}

/** The host follows the message at hand, and tells what becomes of it. */
export let followed: bool = false;

/** Says whether the host follows the messages that are routed from now on. */
export function setFollowed(on: bool): void {
  followed = on;
}
