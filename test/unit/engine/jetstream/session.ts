// A JetStream over the fakes, with a client that makes requests of it.

import { JetStream } from '../../../../ts/engine/jetstream/jetstream.ts';
import type { AccountLimits, InboundMessage } from '../../../../ts/engine/jetstream/ports.ts';
import { nodeCrypto } from '../../../../ts/node/crypto.ts';
import type { Random } from '../../../../ts/ports/random.ts';
import { serverLimits, unlimited } from '../../../support/jetstream-limits.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeBroker } from './fake-broker.ts';
import { FakeStore } from './fakes.ts';

export interface Response {
  readonly text?: string;
  readonly headers?: string;
  readonly unanswered?: 'timeout' | 'no responders';
}

const quiet = { fatal() {}, error() {}, warn() {}, info() {}, debug() {}, trace() {}, debugOn: false, traceOn: false };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Headers as the client that made the recordings writes them. */
function headerBlock(headers: Readonly<Record<string, string>>): Uint8Array | undefined {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return lines.length === 0 ? undefined : encoder.encode(`NATS/1.0\r\n${lines.join('')}\r\n`);
}

/** A generator that gives the same every time. */
function countingRandom(): Random {
  let state = 1;
  const next = (): number => (state = (state * 48271) % 2147483647);
  return { bytes: (length) => Uint8Array.from({ length }, () => next() & 255), below: (limit) => next() % limit };
}

export interface ApiSession {
  readonly broker: FakeBroker;
  readonly clock: FakeClock;
  readonly store: FakeStore;
  jetstream: JetStream;
  request(subject: string, payload?: string, timeMs?: number, headers?: Readonly<Record<string, string>>): Promise<Response>;
  publish(subject: string, payload?: string, headers?: string): void;
  listen(subject: string): InboundMessage[];
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function apiSession(accountLimits: AccountLimits = unlimited, clock = new FakeClock()): Promise<ApiSession> {
  const broker = new FakeBroker();
  const store = new FakeStore(broker, clock);
  let inboxes = 0;
  const begin = async (): Promise<JetStream> => {
    const limits = serverLimits({ perStream: 0, total: 0, messages: 1000, timeoutMs: 10_000 });
    const settings = { serverName: 'fake', domain: '', strict: true, maxPayloadBytes: 1024 * 1024, limits };
    const jetstream = new JetStream(
      { door: broker, store, clock, random: countingRandom(), log: quiet, crypto: nodeCrypto },
      settings,
    );
    await jetstream.enable('$G', 0, accountLimits);
    return jetstream;
  };

  const session: ApiSession = {
    broker,
    clock,
    store,
    jetstream: await begin(),
    async request(subject, payload = '', timeMs = 1000, headers = {}) {
      const reply = `_INBOX.${++inboxes}`;
      const messages: InboundMessage[] = [];
      // Like the client that made the recordings: a stream's message comes under its own subject and is not taken for the answer.
      broker.subscribe(0, reply, (message) => message.reply === '' && messages.push(message));
      const taken = broker.publish(0, subject, reply, headerBlock(headers), encoder.encode(payload));
      if (taken === 0) return { unanswered: 'no responders' };
      await new Promise((resolve) => setImmediate(resolve));
      for (let ms = 0; ms < timeMs && messages.length === 0; ms += 50) clock.advance(50);
      const message = messages[0];
      if (message === undefined) return { unanswered: 'timeout' };
      return {
        ...(message.payload.length > 0 ? { text: decoder.decode(message.payload) } : {}),
        ...(message.headers.length > 0 ? { headers: decoder.decode(message.headers) } : {}),
      };
    },
    publish(subject, payload = '', headers = '') {
      const block = headers === '' ? undefined : encoder.encode(`NATS/1.0\r\n${headers}\r\n\r\n`);
      broker.publish(0, subject, '', block, encoder.encode(payload));
    },
    listen(subject) {
      const messages: InboundMessage[] = [];
      broker.subscribe(0, subject, (message) => messages.push(message));
      return messages;
    },
    async restart() {
      await session.jetstream.stop();
      session.jetstream = await begin();
    },
    async stop() {
      await session.jetstream.stop();
    },
  };
  return session;
}
