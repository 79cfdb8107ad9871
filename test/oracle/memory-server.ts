/**
 * A whole server without sockets, files or time: kernel, broker and sessions joined to in-memory connections.
 *
 * Bytes are handed over in exactly the pieces the test chooses; the write side can be made to take its time, so that
 * out-chains wait in the kernel. The clock stands still unless the test moves it.
 */
import { compileImports } from '../../ts/core/account/imports.ts';
import { Broker } from '../../ts/engine/broker/broker.ts';
import { Sessions } from '../../ts/engine/session/sessions.ts';
import { readConfigText } from '../../ts/core/config/read-config.ts';
import type { Options } from '../../ts/core/config/options.ts';
import { Kernel } from '../../ts/kernel/kernel.ts';
import { nodeCrypto } from '../../ts/node/crypto.ts';
import { loadKernel } from '../../ts/node/wasm.ts';
import type { Clock, Timer } from '../../ts/ports/clock.ts';
import type { Transport, TransportSink } from '../../ts/ports/connection.ts';
import type { Log } from '../../ts/ports/log.ts';
import { toBytes, toText } from './bytes.ts';

const silent: Log = {
  debugOn: false,
  traceOn: false,
  fatal: () => undefined,
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  trace: () => undefined,
};

/** Time that the test moves. */
export class StandingClock implements Clock {
  private nowMs = 1_700_000_000_000;
  private readonly pending = new Set<{ atMs: number; everyMs: number; call: () => void }>();

  wallMs(): number {
    return this.nowMs;
  }

  wallInstant(): { seconds: number; nanos: number } {
    return { seconds: Math.floor(this.nowMs / 1000), nanos: (this.nowMs % 1000) * 1e6 };
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, call: () => void): Timer {
    return this.add(delayMs, 0, call);
  }

  every(intervalMs: number, call: () => void): Timer {
    return this.add(intervalMs, intervalMs, call);
  }

  /** Lets time pass, with everything that is due meanwhile. */
  advance(ms: number): void {
    const end = this.nowMs + ms;
    for (;;) {
      const due = [...this.pending].filter((one) => one.atMs <= end).sort((one, other) => one.atMs - other.atMs)[0];
      if (due === undefined) break;
      this.nowMs = Math.max(this.nowMs, due.atMs);
      if (due.everyMs > 0) due.atMs += due.everyMs;
      else this.pending.delete(due);
      due.call();
    }
    this.nowMs = end;
  }

  private add(delayMs: number, everyMs: number, call: () => void): Timer {
    const entry = { atMs: this.nowMs + Math.max(delayMs, everyMs > 0 ? 1 : 0), everyMs, call };
    this.pending.add(entry);
    return { cancel: () => void this.pending.delete(entry) };
  }
}

/** One client's end. */
export class MemoryPeer implements Transport {
  readonly kind = 'tcp';
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 40_000;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 4222;
  received = '';
  /** The server ended or destroyed the connection. */
  ended = false;
  paused = false;
  /** Counts what it receives instead of keeping it. */
  discards = false;
  receivedBytes = 0;
  /** Writes stay in flight until `drain`. */
  slow = false;
  private gone = false;
  private sink: TransportSink | undefined;
  private inFlight: readonly Uint8Array[] | undefined;
  private readonly unread: Uint8Array[] = [];
  private readonly server: MemoryServer;

  constructor(server: MemoryServer) {
    this.server = server;
  }

  attach(sink: TransportSink): void {
    this.sink = sink;
  }

  get unsentBytes(): number {
    return (this.inFlight ?? []).reduce((sum, view) => sum + view.length, 0);
  }

  /** What came, without the INFO lines. */
  get answers(): string {
    return this.received.replaceAll(/INFO \{[^\n]*\}\s*\r\n/g, '');
  }

  /** The client sends these bytes in one packet. */
  send(text: string): void {
    this.unread.push(toBytes(text));
    this.read();
  }

  hangUp(): void {
    if (this.gone) return;
    this.gone = true;
    this.sink?.onClose();
  }

  /** A slow peer takes what is in flight. */
  drain(): void {
    while (this.inFlight !== undefined) {
      this.take(this.inFlight);
      this.inFlight = undefined;
      if (!this.gone) this.sink?.onWritten();
      if (this.slow) break;
    }
  }

  write(views: readonly Uint8Array[]): boolean {
    if (this.inFlight !== undefined) throw new Error('a second write while one is in flight');
    if (this.slow) {
      this.inFlight = views;
      return false;
    }
    this.take(views);
    return true;
  }

  pauseReading(): void {
    this.paused = true;
  }

  resumeReading(): void {
    this.paused = false;
    this.read();
  }

  end(): void {
    this.ended = true;
    this.server.later(() => this.hangUp());
  }

  destroy(): void {
    this.ended = true;
    this.inFlight = undefined;
    this.server.later(() => this.hangUp());
  }

  private take(views: readonly Uint8Array[]): void {
    for (const view of views) this.receivedBytes += view.length;
    if (!this.discards) this.received += views.map(toText).join('');
  }

  private read(): void {
    while (!this.paused && !this.gone) {
      const bytes = this.unread.shift();
      if (bytes === undefined) break;
      for (let from = 0; from < bytes.length && !this.gone; from += this.server.kernel.inbound.length) {
        const part = bytes.subarray(from, from + this.server.kernel.inbound.length);
        this.server.kernel.inbound.set(part);
        this.sink?.onBytes(part.length);
      }
    }
    this.server.runLater();
  }
}

const compiled = loadKernel('server', import.meta.dirname);

export interface MemoryServerOptions {
  readonly config?: string;
  /** First page of the arena: 32768 begins at 2 GiB. */
  readonly arenaPage?: number;
  readonly seed?: readonly [number, number];
}

function optionsOf(config: string): Options {
  const none = (): never => {
    throw new Error('the configuration of a test stands alone');
  };
  const sha256 = (text: string): string => Buffer.from(nodeCrypto.sha256(Buffer.from(text))).toString('hex');
  return readConfigText(config, 'test.conf', { readFile: none, env: {}, sha256 }).options;
}

export class MemoryServer {
  readonly kernel: Kernel;
  readonly broker: Broker;
  readonly sessions: Sessions;
  readonly clock = new StandingClock();
  private readonly put: (() => void)[] = [];
  private running = false;

  constructor({ config = '', arenaPage, seed = [1, 2] }: MemoryServerOptions = {}) {
    this.kernel = new Kernel({ module: compiled, seed, ...(arenaPage === undefined ? {} : { arenaPage }) });
    const options = optionsOf(config);
    let state = seed[0];
    const below = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % limit;
    };
    const random = { below, bytes: (length: number) => Uint8Array.from({ length }, () => below(256)) };
    const identity = { serverId: 'N', serverName: 'N', version: '2.14.5', gitCommit: '', go: '', xkey: 'X', apiLevel: 1 };
    this.broker = new Broker(this.kernel, options, { clock: this.clock, log: silent });
    this.sessions = new Sessions(options, identity, { clock: this.clock, random, crypto: nodeCrypto, log: silent });
    this.broker.imports.set(compileImports(options.accounts).accounts);
    this.broker.serve(this.sessions, () => undefined);
  }

  connect(): MemoryPeer {
    const peer = new MemoryPeer(this);
    peer.attach(this.broker.accept(peer));
    this.runLater();
    return peer;
  }

  /** What a socket would do on a later turn of the event loop. */
  later(call: () => void): void {
    this.put.push(call);
  }

  runLater(): void {
    if (this.running) return;
    this.running = true;
    for (let call = this.put.shift(); call !== undefined; call = this.put.shift()) call();
    this.running = false;
  }
}
