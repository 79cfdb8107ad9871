// Reading one stream: single messages, and batches for consumers. Records are read from windows over the block files, or from where they
// were framed while they are not written yet, and are checked against their checksum each time.

import { deliverResult } from '../../kernel/streams.ts';
import type { StreamKernel } from '../../kernel/streams.ts';
import type { Instant } from '../../ports/clock.ts';
import type { BlockFiles } from './block-files.ts';
import type { DeliverCall } from './deliver-call.ts';
import type { DeliverRequest, Delivered, StoredMessage } from './store.ts';
import type { Windows } from './windows.ts';
import { messageOf } from '../../lib/message-of.ts';

const HEAD = 22;
const HAS_HEADERS = 0x8000_0000;
const SUM = 8;
const NANOS = 1_000_000_000n;
/** What a batch is taken to need a message, to size the first read. */
const GUESS = 512;

/** An instant of nanoseconds since 1970. */
function instantOf(nanos: bigint): Instant {
  const rest = ((nanos % NANOS) + NANOS) % NANOS;
  return { seconds: Number((nanos - rest) / NANOS), nanos: Number(rest) };
}

export interface ReaderPorts {
  readonly kernel: StreamKernel;
  readonly windows: Windows;
  readonly files: BlockFiles;
  readonly call: DeliverCall;
  /** A record that should be there is damaged or cannot be read. */
  readonly onDamage: (seq: number, block: number, reason: string) => void;
}

export class StreamReader {
  readonly #stream: number;
  readonly #ports: ReaderPorts;

  constructor(stream: number, ports: ReaderPorts) {
    this.#stream = stream;
    this.#ports = ports;
  }

  /** Address of a message's record in kernel memory, with its length; undefined when there is none or it is damaged. */
  #record(seq: number): { readonly at: number; readonly length: number } | undefined {
    const { kernel, windows, files, onDamage } = this.#ports;
    const place = kernel.locate(this.#stream, seq);
    if (place === undefined) return undefined;
    const { block, offset, length, address } = place;
    if (address !== 0) return { at: address, length };
    try {
      const window = windows.over(this.#stream, files, block, offset, length, 0);
      if (window !== undefined) {
        const at = window.address + (offset - window.from);
        if (kernel.exports.verifyRecord(this.#stream, block, at, length) !== 0) return { at, length };
      }
      onDamage(seq, block, 'its checksum is wrong');
    } catch (error) {
      onDamage(seq, block, messageOf(error));
    }
    return undefined;
  }

  /** Brings a record into a window. False: it cannot be; reading the message says why. */
  bring(block: number, offset: number, length: number): boolean {
    try {
      return this.#ports.windows.over(this.#stream, this.#ports.files, block, offset, length, 0) !== undefined;
    } catch {
      return false;
    }
  }

  /** Forgets what was read of the stream, or of one of its blocks. */
  forget(block?: number): void {
    this.#ports.windows.forget(this.#stream, block);
  }

  time(seq: number): Instant | undefined {
    const record = this.#record(seq);
    if (record === undefined) return undefined;
    return instantOf(this.#ports.kernel.memory.all().readBigInt64LE(record.at + 12));
  }

  get(seq: number): StoredMessage | undefined {
    const record = this.#record(seq);
    if (record === undefined) return undefined;
    const { memory } = this.#ports.kernel;
    const all = memory.all();
    const { at, length } = record;
    const subjectLength = all.readUInt16LE(at + 20);
    let from = at + HEAD + subjectLength;
    let headerLength = 0;
    if (all.readUInt32LE(at) >= HAS_HEADERS) {
      headerLength = all.readUInt32LE(from);
      from += 4;
    }
    return {
      seq,
      subject: memory.text(at + HEAD, subjectLength),
      ts: instantOf(all.readBigInt64LE(at + 12)),
      headers: memory.copy(from, headerLength),
      payload: memory.copy(from + headerLength, at + length - SUM - from - headerLength),
    };
  }

  /** Sends a message to the inbox of a direct get. False: there is none, or it is damaged. */
  answer(seq: number, inbox: string): boolean {
    const record = this.#record(seq);
    if (record !== undefined) this.#ports.kernel.answer(this.#stream, record.at, inbox);
    return record !== undefined;
  }

  /** The first sequence stored at or after an instant, `behind` when all are older. */
  seqAtTime(at: Instant, behind: number): number {
    const range = this.#ports.kernel.rangeAt(this.#stream, at.seconds, at.nanos);
    if (range === undefined) return behind;
    let [low, high] = range;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const found = this.#ports.kernel.nextOn(this.#stream, '>', middle);
      const time = found === 0 || found > high ? undefined : this.time(found);
      if (time === undefined || time.seconds > at.seconds || (time.seconds === at.seconds && time.nanos >= at.nanos))
        high = middle;
      else low = found + 1;
    }
    return low;
  }

  deliver(request: DeliverRequest, visible: number): Delivered {
    const { kernel, windows, files, call, onDamage } = this.#ports;
    const to = Math.min(request.toSeq ?? visible, visible);
    if (!call.begin(this.#stream, request, to)) return call.result(to + 1 > request.fromSeq ? to + 1 : request.fromSeq, 'end');
    let before = 0;
    for (;;) {
      const result = kernel.exports.deliver();
      if (result === deliverResult.window || result === deliverResult.damaged) {
        const { block, offset, length } = call.needed();
        // Where the last window had next to nothing for this batch, messages lie far apart.
        const left = call.messagesLeft();
        const ahead = before - left === 1 ? 0 : Math.min(left * GUESS, call.bytesLeft() * 2);
        before = left;
        const seq = call.next();
        let reason = 'its checksum is wrong';
        if (result === deliverResult.window) {
          try {
            const window = windows.over(this.#stream, files, block, offset, length, ahead);
            if (window !== undefined) {
              call.setWindow(window);
              continue;
            }
            reason = 'the block is too short';
          } catch (error) {
            reason = messageOf(error);
          }
        }
        onDamage(seq, block, reason);
        call.skip();
        continue;
      }
      if (result === deliverResult.lost) return call.result(call.behindLast(), 'messages');
      if (result === deliverResult.messages) return call.result(call.next(), 'messages');
      if (result === deliverResult.bytes) return call.result(call.next(), 'bytes');
      if (result === deliverResult.interest) return call.result(call.next(), 'interest');
      return call.result(Math.max(call.next(), to + 1), 'end');
    }
  }
}
