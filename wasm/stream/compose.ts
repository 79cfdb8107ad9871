// Headers that a stored message goes out with and was not stored with.

import { alloc, free } from '../lib/arena';
import { copy, printNumber } from '../lib/bytes';
import { setData } from '../deliver/message';
import { recordData, recordDataLength, recordHeaderLength } from '../record/record';
import { DeliverCall } from './deliver-call';

/** The payload stays away, `Nats-Msg-Size` says how long it was. */
const ADD_SIZE: u32 = 1;

const CRLF: u16 = 0x0a0d;
const SIZE_HEADER: usize = memory.data<u8>([
  0x4e, 0x61, 0x74, 0x73, 0x2d, 0x4d, 0x73, 0x67, 0x2d, 0x53, 0x69, 0x7a, 0x65, 0x3a, 0x20,
]);
const SIZE_HEADER_LENGTH: u32 = 15;
const STATUS_LINE: usize = memory.data<u8>([0x4e, 0x41, 0x54, 0x53, 0x2f, 0x31, 0x2e, 0x30, 0x0d, 0x0a]);
const STATUS_LINE_LENGTH: u32 = 10;

let kept: usize = 0;
let keptSize: u32 = 0;

/** A place for `size` bytes, good until the next message. */
function room(size: u32): usize {
  if (size > keptSize) {
    free(kept);
    keptSize = max(size, 4096);
    kept = alloc(keptSize);
  }
  return kept;
}

/** Gives back what a large message took. */
export function dropRoom(): void {
  if (keptSize <= 65536) return;
  free(kept);
  kept = 0;
  keptSize = 0;
}

/** Sets the data of the current message to the record's, with the headers that the call adds. */
export function composeData(call: DeliverCall, record: usize): void {
  const headerLength = recordHeaderLength(record);
  const payload = recordData(record) + headerLength;
  const payloadLength = recordDataLength(record) - headerLength;
  const withoutPayload = (call.adds & ADD_SIZE) != 0;
  const block = room(headerLength + 64 + call.extraLength + (withoutPayload ? 0 : payloadLength));
  let at = block;
  if (headerLength) {
    copy(at, recordData(record), headerLength - 2);
    at += headerLength - 2;
  } else {
    copy(at, STATUS_LINE, STATUS_LINE_LENGTH);
    at += STATUS_LINE_LENGTH;
  }
  if (withoutPayload) {
    copy(at, SIZE_HEADER, SIZE_HEADER_LENGTH);
    at = printNumber(at + SIZE_HEADER_LENGTH, payloadLength);
    store<u16>(at, CRLF);
    at += 2;
  }
  copy(at, call.extra, call.extraLength);
  at += call.extraLength;
  store<u16>(at, CRLF);
  at += 2;
  const headers = <u32>(at - block);
  if (!withoutPayload) copy(at, payload, payloadLength);
  setData(block, withoutPayload ? headers : headers + payloadLength, headers);
}
