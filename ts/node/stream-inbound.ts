// Bytes that node has already read into a buffer of its own (TLS, WebSocket) on their way into the kernel's inbound region.
// Kept true: records and frames that arrive in one turn of the event loop are handed over together, so that they are parsed by one call and
// answered by one write, as they would be had they come as plain bytes.
import { copyBytes } from '../kernel/copy.ts';
import type { TransportSink } from '../ports/connection.ts';

/** Most that is handed over at once, however large the region. */
const PIECE_BYTES = 1 << 20;

/** Copies `bytes` into the region and reports them, in pieces the region can hold. */
export function deliver(bytes: Uint8Array, inbound: Uint8Array, sink: TransportSink): void {
  const piece = Math.min(PIECE_BYTES, inbound.length);
  if (bytes.length <= piece) {
    copyBytes(inbound, bytes);
    sink.onBytes(bytes.length);
    return;
  }
  for (let at = 0; at < bytes.length; at += piece) {
    const part = bytes.subarray(at, at + piece);
    copyBytes(inbound, part);
    sink.onBytes(part.length);
  }
}

export class GatheredBytes {
  readonly #ready: () => void;
  #pieces: Buffer[] = [];

  /** `ready` is called behind the events of a turn in which something arrived. */
  constructor(ready: () => void) {
    this.#ready = ready;
  }

  add(piece: Buffer): void {
    if (this.#pieces.push(piece) === 1) setImmediate(this.#ready);
  }

  /** Calls `ready` once more if what it was called for is still here. */
  remind(): void {
    if (this.#pieces.length > 0) setImmediate(this.#ready);
  }

  /** All that is here, in the order it came. */
  take(): Buffer {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }
}
