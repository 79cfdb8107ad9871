// A broker without a network: the real kernel, the real sessions, a clock the test moves and transports it holds both ends of.

import { join } from 'node:path';
import { silentLog } from '../../ts/app/silent-log.ts';
import { defaultOptions } from '../../ts/core/config/options.ts';
import type { Options } from '../../ts/core/config/options.ts';
import type { CloseReason } from '../../ts/core/session/reasons.ts';
import { Broker } from '../../ts/engine/broker/broker.ts';
import { Sessions } from '../../ts/engine/session/sessions.ts';
import { Kernel } from '../../ts/kernel/kernel.ts';
import { nodeCrypto } from '../../ts/node/crypto.ts';
import { NodeRandom } from '../../ts/node/random.ts';
import { loadKernel } from '../../ts/node/wasm.ts';
import type { Log } from '../../ts/ports/log.ts';
import type { Transport, TransportSink } from '../../ts/ports/connection.ts';
import { VirtualClock } from './virtual-clock.ts';

const root = join(import.meta.dirname, '..', '..');
export const serverKernel = loadKernel('server', root);

/** One client: what it was sent, whether its socket takes bytes, whether the server reads from it. */
export class TestPeer implements Transport {
  readonly kind = 'tcp';
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 50000;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 4222;
  readonly #broker: TestBroker;
  sink!: TransportSink;
  received = '';
  receivedBytes = 0;
  keepText = true;
  /** False: writes stay in flight until `drain`. */
  takes = true;
  reading = true;
  ended = false;
  destroyed = false;
  #flying: readonly Uint8Array[] = [];

  constructor(broker: TestBroker) {
    this.#broker = broker;
  }

  write(views: readonly Uint8Array[]): boolean {
    if (this.#flying.length > 0) throw new Error('a second write while one is in flight');
    this.#flying = views;
    if (!this.takes) return false;
    this.#take();
    return true;
  }

  #take(): void {
    for (const view of this.#flying) {
      this.receivedBytes += view.length;
      if (this.keepText) this.received += Buffer.from(view).toString('latin1');
    }
    this.#flying = [];
  }

  /** How much of the write in flight the system has taken before the rest. */
  takenBytes = 0;

  get unsentBytes(): number {
    return this.#flying.reduce((sum, view) => sum + view.length, 0) - this.takenBytes;
  }

  /** The socket takes what is in flight. */
  drain(): void {
    if (this.#flying.length === 0) return;
    this.#take();
    this.sink.onWritten();
  }

  /** The client sends text; the server reads it as one chunk. */
  say(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    for (let at = 0; at < bytes.length; at += this.#broker.kernel.inbound.length) {
      const part = bytes.subarray(at, at + this.#broker.kernel.inbound.length);
      this.#broker.kernel.inbound.set(part);
      this.sink.onBytes(part.length);
    }
  }

  /** What arrived since the last time. */
  heard(): string {
    const text = this.received;
    this.received = '';
    return text;
  }

  hangUp(): void {
    this.sink.onClose();
  }

  pauseReading(): void {
    this.reading = false;
  }

  resumeReading(): void {
    this.reading = true;
  }

  end(): void {
    this.ended = true;
    this.sink.onClose();
  }

  destroy(): void {
    this.destroyed = true;
    this.sink.onClose();
  }
}

export class TestBroker {
  readonly clock = new VirtualClock();
  readonly kernel: Kernel;
  readonly broker: Broker;
  readonly sessions: Sessions;
  readonly closed: CloseReason[] = [];

  constructor(
    change: Partial<Options> = {},
    { log = silentLog, maximumPages = 65536 }: { log?: Log; maximumPages?: number } = {},
  ) {
    const options = { ...defaultOptions(), ...change };
    const random = new NodeRandom();
    this.kernel = new Kernel({ module: serverKernel, seed: [1, 2], maximumPages });
    this.broker = new Broker(this.kernel, options, { clock: this.clock, log });
    const identity = { serverId: 'N', serverName: 'test', version: '2.14.5', gitCommit: '', go: 'node', xkey: '', apiLevel: 4 };
    this.sessions = new Sessions(options, identity, {
      ...{ clock: this.clock, random, crypto: nodeCrypto, log },
      turn: (work) => this.broker.turn(work),
    });
    this.broker.serve(this.sessions, (_connection, reason) => this.closed.push(reason));
  }

  /** A client that has been greeted; with CONNECT sent unless told otherwise. */
  peer(connect = '{"verbose":false,"headers":true,"no_responders":true}'): TestPeer {
    const peer = new TestPeer(this);
    peer.sink = this.broker.accept(peer);
    peer.heard();
    if (connect !== '') peer.say(`CONNECT ${connect}\r\nPING\r\n`);
    peer.heard();
    return peer;
  }
}
