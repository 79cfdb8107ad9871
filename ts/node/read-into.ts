// Makes an accepted socket read into a buffer of ours, as the `onread` option does for sockets one makes oneself; `net.Server` has no such
// option. Node keeps that buffer and its callback in two fields named by symbols, found here once on a socket made with the option. Where
// node has them under other names the bytes are copied instead: the same behaviour, somewhat slower.

import net from 'node:net';
import { deliver } from './stream-inbound.ts';
import type { TransportSink } from '../ports/connection.ts';

interface ReadsIntoBuffer {
  [field: symbol]: unknown;
  readonly _handle?: { useUserBuffer?(buffer: Uint8Array): void };
}

interface Fields {
  readonly buffer: symbol;
  readonly callback: symbol;
}

function findFields(): Fields | undefined {
  const buffer = Buffer.alloc(1);
  const callback = (): boolean => true;
  const example = new net.Socket({ onread: { buffer, callback } } as net.SocketConstructorOpts) as unknown as ReadsIntoBuffer;
  const holding = (value: unknown) => Object.getOwnPropertySymbols(example).find((field) => example[field] === value);
  const found = { buffer: holding(buffer), callback: holding(callback) };
  return found.buffer === undefined || found.callback === undefined
    ? undefined
    : { buffer: found.buffer, callback: found.callback };
}

const fields = findFields();

/** From now on what the socket reads lies in `inbound` when the sink is told; before reading has started. */
export function readInto(socket: net.Socket, inbound: Uint8Array, sink: () => TransportSink): void {
  const open = socket as unknown as ReadsIntoBuffer;
  if (fields === undefined || open._handle?.useUserBuffer === undefined) {
    socket.on('data', (bytes) => deliver(bytes, inbound, sink()));
    return;
  }
  open[fields.buffer] = inbound;
  open[fields.callback] = (length: number): boolean => {
    sink().onBytes(length);
    return true;
  };
  open._handle.useUserBuffer(inbound);
}
