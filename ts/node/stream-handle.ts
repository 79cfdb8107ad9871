// Node's TCP handles: what lies under `net.Socket`. A socket is a duplex stream, with two state machines, a dozen listeners and a tick for every
// write; for a connection that comes, subscribes and is mostly idle it is most of what the server spends, in time and in memory. A handle reads
// into a buffer one gives it, writes what the system takes at once, and tells when the rest has left, which is all that a transport is asked.
//
// Node has no public door to it, so this file is the only one that knows the private one, and it is tried before anything relies on it: where
// names are missing (`streamHandles` is undefined, `takeConnections` false) connections are sockets, as in any other program.
// Seen to work on Node 20, 22 and 24.
//
// Kept true: `net.Server` still owns the listening socket, and counts these connections as it counts its own.

import type { Server } from 'node:net';
import { getSystemErrorMap } from 'node:util';

export interface Endpoint {
  address?: string;
  port?: number;
}

/** A write or a shutdown on its way. `owner` is ours: whom `oncomplete` tells. */
export interface StreamRequest<Owner> {
  oncomplete: (this: StreamRequest<Owner>, status: number) => void;
  owner: Owner | undefined;
}

/** A connection. Numbers returned are 0 or a system error below 0. */
export interface StreamHandle<Owner> {
  owner: Owner | undefined;
  /** Something was read into the user buffer, or the stream is at its end: see `StreamHandles.bytesRead`. */
  onread: (this: StreamHandle<Owner>) => void;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: StreamRequest<Owner>, bytes: Uint8Array): number;
  writev(request: StreamRequest<Owner>, views: readonly Uint8Array[], allAreBytes: true): number;
  shutdown(request: StreamRequest<Owner>): number;
  close(closed: () => void): void;
  setNoDelay(on: boolean): number;
  /** Bytes given to writes so far, and how many of them the system has not taken. */
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
  getpeername(out: Endpoint): number;
  getsockname(out: Endpoint): number;
}

/** What node shares between its C++ and its own library: constructors of requests, and a few numbers about the last call. */
interface StreamBinding {
  readonly WriteWrap: new <Owner>() => StreamRequest<Owner>;
  readonly ShutdownWrap: new <Owner>() => StreamRequest<Owner>;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

export class StreamHandles {
  readonly endOfFile: number;
  readonly #binding: StreamBinding;

  constructor(binding: StreamBinding, endOfFile: number) {
    this.#binding = binding;
    this.endOfFile = endOfFile;
  }

  /** Only inside `onread`: how much was read, or a system error below 0. */
  get bytesRead(): number {
    return this.#binding.streamBaseState[this.#binding.kReadBytesOrError] as number;
  }

  /** Only right behind a write that returned 0: part of it waits, and its request will be completed. */
  get writeWaits(): boolean {
    return this.#binding.streamBaseState[this.#binding.kLastWriteWasAsync] !== 0;
  }

  /** A request that left at once was not used and may serve the next write, of any handle. */
  newWrite<Owner>(): StreamRequest<Owner> {
    return new this.#binding.WriteWrap<Owner>();
  }

  newShutdown<Owner>(): StreamRequest<Owner> {
    return new this.#binding.ShutdownWrap<Owner>();
  }
}

const methods = [
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'writev',
  'shutdown',
  'close',
  'setNoDelay',
  'getpeername',
  'getsockname',
] as const satisfies readonly (keyof StreamHandle<unknown>)[];

function findHandles(): StreamHandles | undefined {
  const { binding } = process as unknown as { binding?(name: string): unknown };
  if (binding === undefined) return undefined;
  try {
    const stream = binding.call(process, 'stream_wrap') as Partial<StreamBinding>;
    const { TCP } = binding.call(process, 'tcp_wrap') as { TCP: { prototype: Record<string, unknown> } };
    const [endOfFile] = [...getSystemErrorMap()].find(([, [name]]) => name === 'EOF') ?? [];
    const complete =
      typeof stream.WriteWrap === 'function' &&
      typeof stream.ShutdownWrap === 'function' &&
      typeof stream.kReadBytesOrError === 'number' &&
      typeof stream.kLastWriteWasAsync === 'number' &&
      ArrayBuffer.isView(stream.streamBaseState) &&
      methods.every((name) => typeof TCP.prototype[name] === 'function');
    return complete && endOfFile !== undefined ? new StreamHandles(stream as StreamBinding, endOfFile) : undefined;
  } catch {
    // A node that forbids it, by `--permission` for instance.
    return undefined;
  }
}

/** Undefined: this node has no handles, or others than those described here. */
export const streamHandles = findHandles();

interface ListeningServer {
  readonly _handle?: {
    onconnection?: (this: unknown, status: number, handle?: unknown) => void;
    setNoDelay?(on: boolean): number;
  } | null;
  _connections?: number;
  _emitCloseIfDrained?(): void;
}

/** What to call when a taken connection is closed. */
export type Closed = () => void;

/** Linux gives a connection the options of the socket it came to. */
const inheritsOptions = process.platform === 'linux';

/**
 * Takes the connections of a server that listens, in place of its 'connection' event. False: it cannot be done, and the event goes on.
 * They send without delay. What cannot be accepted at all is still told by the server.
 */
export function takeConnections<Owner>(
  server: Server,
  take: (handle: StreamHandle<Owner>, closed: Closed) => void,
  inherits = inheritsOptions,
): boolean {
  const listening = server as unknown as ListeningServer;
  const handle = listening._handle;
  const event = handle?.onconnection;
  if (handle == null || typeof event !== 'function') return false;
  if (typeof listening._connections !== 'number' || typeof listening._emitCloseIfDrained !== 'function') return false;
  const sendAtOnce = inherits && handle.setNoDelay?.(true) === 0;
  const count = (by: 1 | -1): void => {
    listening._connections = (listening._connections ?? 0) + by;
  };
  const closed = (): void => {
    count(-1);
    listening._emitCloseIfDrained?.();
  };
  handle.onconnection = function (status, accepted) {
    if (status !== 0 || accepted === undefined) return event.call(this, status, accepted);
    count(1);
    const taken = accepted as StreamHandle<Owner>;
    if (!sendAtOnce) taken.setNoDelay(true);
    take(taken, closed);
  };
  return true;
}
