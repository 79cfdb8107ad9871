// What listener tests share: an acceptor that keeps what it is given, certificates, and waiting for a condition without sleeping.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Acceptor, Transport, TransportSink } from '../../ts/ports/connection.ts';
import type { TlsSettings } from '../../ts/ports/listen.ts';

const certificates = join(import.meta.dirname, 'certs');

export function certificate(name: string): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(join(certificates, `${name}.pem`)), key: readFileSync(join(certificates, `${name}-key.pem`)) };
}

export const authority = readFileSync(join(certificates, 'ca.pem'));

export function tlsSettings(change: Partial<TlsSettings> = {}, name = 'server'): TlsSettings {
  return {
    certFile: join(certificates, `${name}.pem`),
    keyFile: join(certificates, `${name}-key.pem`),
    caFile: join(certificates, 'ca.pem'),
    certs: [],
    verify: false,
    verifyAndMap: false,
    timeoutMs: 2_000,
    handshakeFirst: false,
    handshakeFirstFallbackMs: 0,
    connectionRateLimit: 0,
    pinnedCerts: [],
    cipherSuites: [],
    curvePreferences: [],
    minVersion: '1.2',
    ...change,
  };
}

/** One accepted connection as a test sees it. */
export interface Accepted {
  readonly transport: Transport;
  text: string;
  /** How often bytes were handed over. */
  handovers: number;
  written: number;
  closed: boolean;
  error: Error | undefined;
}

type Changed = () => void;

/** Keeps every accepted connection; `until` settles at the first change after which the condition holds. */
export class KeepingAcceptor implements Acceptor {
  readonly inbound = new Uint8Array(new SharedArrayBuffer(1 << 16));
  readonly accepted: Accepted[] = [];
  readonly problems: string[] = [];
  readonly #watchers = new Set<Changed>();
  readonly #greet: (transport: Transport) => void;

  constructor(greet: (transport: Transport) => void = () => undefined) {
    this.#greet = greet;
  }

  readonly onProblem = (text: string): void => {
    this.problems.push(text);
    this.#changed();
  };

  accept(transport: Transport): TransportSink {
    const kept: Accepted = { transport, text: '', handovers: 0, written: 0, closed: false, error: undefined };
    this.accepted.push(kept);
    this.#greet(transport);
    this.#changed();
    return {
      onBytes: (length) => {
        kept.text += Buffer.from(this.inbound.slice(0, length)).toString('latin1');
        kept.handovers++;
        this.#changed();
      },
      onWritten: () => {
        kept.written++;
        this.#changed();
      },
      onClose: (error) => {
        kept.closed = true;
        kept.error = error;
        this.#changed();
      },
    };
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #changed(): void {
    for (const look of [...this.#watchers]) look();
  }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
