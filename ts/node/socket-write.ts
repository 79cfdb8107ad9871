// How far a write over a socket of node has come. The socket tells only when a write is through; what the system has taken of it before is known to the
// handle under it, and with TLS to the handle under that one, where it is counted in ciphertext.
// Kept true: while a write is in flight `unsentBytes` falls exactly when the system takes something; a node whose handles have other names shows a
// write that makes no way.

import type { Socket } from 'node:net';

interface Layer {
  readonly _parent?: Layer | null;
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

/** Grows only, until the socket is closed. */
function takenBytes(socket: Socket): number {
  let layer = (socket as unknown as { readonly _handle?: Layer | null })._handle;
  while (layer?._parent) layer = layer._parent;
  return (layer?.bytesWritten ?? 0) - (layer?.writeQueueSize ?? 0);
}

export class SocketWrite {
  #bytes = 0;
  #takenBefore = 0;

  /** Right before the views are given to the socket. */
  begin(socket: Socket, views: readonly Uint8Array[]): void {
    this.#takenBefore = takenBytes(socket);
    this.#bytes = 0;
    for (const view of views) this.#bytes += view.length;
  }

  unsentBytes(socket: Socket): number {
    return Math.max(0, this.#bytes - (takenBytes(socket) - this.#takenBefore));
  }
}
