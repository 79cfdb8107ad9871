// Kernel events, handled: each goes to the session of its connection, to a host subscription, to the mappings, to JetStream or to the trace.

import { flag } from '../../kernel/constants.ts';
import type { AckMessage, EventSink } from '../../kernel/events.ts';
import type { Broker } from './broker.ts';
import type { ClientConnection } from './client.ts';

/** Acknowledgements and the store's own entries, for JetStream. */
export interface JetStreamEvents {
  ack(message: AckMessage): void;
  store(type: number, words: Uint32Array, at: number, count: number): void;
}

/** What `-V` shows. */
export interface TraceEvents {
  /** The bytes of one operation, payload and line ends included. */
  inbound(label: string, operation: Uint8Array): void;
  /** The control line of a delivery, and what follows it where that is known. */
  outbound(label: string, line: string, payload: Uint8Array | undefined, headerLength: number): void;
}

export class KernelEvents implements EventSink {
  readonly #broker: Broker;
  #jetstream: JetStreamEvents | undefined;
  #trace: TraceEvents | undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  toJetStream(events: JetStreamEvents): void {
    this.#jetstream = events;
  }

  toTrace(events: TraceEvents): void {
    this.#trace = events;
  }

  connect(index: number, at: number, length: number): void {
    const connection = this.#broker.at(index);
    if (connection === undefined) return;
    connection.noteActivity();
    const json = this.#broker.kernel.memory.text(at, length);
    if (connection.session.onConnect(json) === 'pending') connection.hold();
  }

  ping(index: number): void {
    this.#broker.at(index)?.session.onPing();
  }

  pong(index: number): void {
    this.#broker.at(index)?.onPong();
  }

  error(index: number, code: number, at: number, length: number): void {
    const detail = at === 0 ? '' : this.#broker.kernel.memory.text(at, length);
    this.#broker.at(index)?.failed(code, detail);
  }

  subscribe(
    index: number,
    subject: number,
    length: number,
    queue: number,
    queueLength: number,
    sid: number,
    sidLength: number,
  ): void {
    const connection = this.#broker.at(index);
    if (connection === undefined) return;
    const { kernel } = this.#broker;
    const { memory } = kernel;
    const verdict = connection.session.onSubscribe(
      memory.text(subject, length),
      memory.text(queue, queueLength),
      memory.text(sid, sidLength),
    );
    if (verdict !== 'denied') kernel.admit(index, [subject, length, queue, queueLength, sid, sidLength], verdict === 'filtered');
  }

  message(words: Uint32Array, at: number): void {
    this.#broker.host.dispatch(this.#broker.kernel.hostMessage(words, at));
  }

  map(words: Uint32Array, at: number): void {
    const connection = this.#broker.at(words[at] ?? 0);
    if (connection === undefined) return;
    const { kernel } = this.#broker;
    const subject = kernel.memory.text(words[at + 1] ?? 0, words[at + 2] ?? 0);
    const mapped = this.#mapped(connection, subject);
    if (mapped === undefined) return;
    const deliver = (changed?: Uint8Array): void => {
      if (changed === undefined) kernel.publishMapped(words, at, mapped);
      else kernel.publishMappedWith(words, at, mapped, changed);
    };
    const word = (k: number) => words[at + k] ?? 0;
    if (word(5) === 0) return deliver();
    const headers = kernel.memory.copy(word(6), word(5));
    this.#broker.traces.follow({ connection, subject, mapped, headers, sizeBytes: word(7) }, deliver);
  }

  /** Undefined: the mappings drop the message. */
  #mapped({ account }: ClientConnection, subject: string): string | undefined {
    return account?.mapper === undefined ? subject : account.mapper.map(subject);
  }

  mapImported(words: Uint32Array, at: number): void {
    const { kernel, accounts } = this.#broker;
    const word = (k: number) => words[at + k] ?? 0;
    const account = accounts.byId(word(0));
    const mapped = account?.mapper?.map(kernel.memory.text(word(1), word(2)));
    if (account === undefined || mapped === undefined) return;
    const data = kernel.memory.copy(word(6), word(7));
    const reply = kernel.memory.text(word(3), word(4));
    kernel.publish(account.handle, mapped, reply, data.subarray(0, word(5)), data.subarray(word(5)));
  }

  subscribed(subscription: number, connection: number): void {
    const { kernel, imports } = this.#broker;
    if ((kernel.exports.connectionFlags(connection) & flag.closed) === 0) imports.subscribed(subscription);
  }

  serviceAsked(words: Uint32Array, at: number): void {
    const { kernel, measures } = this.#broker;
    const word = (k: number) => words[at + k] ?? 0;
    const reply = kernel.memory.text(word(3), word(4));
    measures.asked({ number: word(0), service: word(1), connection: word(2), reply }, kernel.memory.copy(word(6), word(5)));
  }

  serviceEnded(number: number, outcome: number, connection: number): void {
    this.#broker.measures.ended(number, outcome, this.#broker.at(connection));
  }

  interestLost(account: number): void {
    this.#broker.measures.interestLost(account);
  }

  traceIn(index: number, at: number, length: number): void {
    const connection = this.#broker.at(index);
    // Without length: an operation that is not there in full yet.
    if (connection !== undefined && length > 0)
      this.#trace?.inbound(connection.session.facts.label, this.#broker.kernel.memory.bytes(at, length));
  }

  traceOut(words: Uint32Array, at: number): void {
    const connection = this.#broker.at(words[at] ?? 0);
    if (connection === undefined || this.#trace === undefined) return;
    const word = (k: number) => words[at + k] ?? 0;
    const { memory } = this.#broker.kernel;
    const parts = [memory.text(word(1), word(2)), memory.text(word(3), word(4))];
    if (word(6) > 0) parts.push(memory.text(word(5), word(6)));
    if (word(7) > 0) parts.push(String(word(7)));
    parts.push(String(word(8)));
    const line = `${word(7) > 0 ? 'HMSG' : 'MSG'} ${parts.join(' ')}`;
    const payload = word(9) === 0 ? undefined : memory.bytes(word(9), word(8));
    this.#trace.outbound(connection.session.facts.label, line, payload, word(7));
  }

  unauthenticated(index: number): void {
    this.#broker.at(index)?.session.onError('beforeConnect');
  }

  clientError(index: number): void {
    this.#broker.at(index)?.session.onError('clientError');
  }

  ack(words: Uint32Array, at: number): void {
    this.#jetstream?.ack(this.#broker.kernel.ackMessage(words, at));
  }

  store(type: number, words: Uint32Array, at: number, count: number): void {
    this.#jetstream?.store(type, words, at, count);
  }

  broken(error: unknown, connection: number): void {
    this.#broker.broken(error, this.#broker.at(connection));
  }
}
