// Bytes that node has already read into a buffer of its own (TLS, WebSocket) on their way into the kernel's inbound region.
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
