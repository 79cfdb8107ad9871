// Follows an origin of another account or domain for one stream: asks its API for a consumer, takes what that delivers in order, and begins
// anew where it was when a delivery is missing, the consumer goes silent or says no. What is done with a message is the intake's business.
// Kept true: one consumer at a time; flow control is answered when everything taken is on disk.

import { encodeJson } from '../../core/jetstream/json.ts';
import { apiError, type ApiError } from '../../core/jetstream/errors.ts';
import { buildHeaders, parseHeaders } from '../../core/jetstream/headers.ts';
import type { Instant } from '../../core/jetstream/instant.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import {
  SILENCE_MS,
  consumerRequest,
  deliverSubject,
  readConsumerAnswer,
  readDelivery,
  resetRequest,
  retryDelayMs,
  type Beginning,
} from '../../core/stream/external.ts';
import type { OriginRange, UpstreamPlan } from '../../core/stream/upstream.ts';
import type { Timer } from '../../ports/clock.ts';
import type { Asker } from './origin.ts';
import type { InboundMessage, JetStreamPorts, ServerSubscription } from './ports.ts';
import { upstreamInfo, type Intake } from './upstream.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const nothing = new Uint8Array(0);
const status = /^NATS\/1\.0 (\d{3})(?: ([^\r\n]*))?/;

export class ExternalUpstream {
  readonly plan: UpstreamPlan;
  readonly #name: string;
  readonly #kind: 'M' | 'S';
  readonly #intake: Intake;
  readonly #asker: Asker;
  readonly #ports: JetStreamPorts;
  #subscriptions: ServerSubscription[] = [];
  #retry: Timer | undefined;
  #silence: Timer | undefined;
  #error: ApiError | undefined;
  /** The next sequence to take; undefined until the start is known. */
  #nextSeq: number | undefined;
  /** Where a new consumer begins when only a time is known. */
  #startTime: Instant | undefined;
  #consumerSeq = 0;
  #pending = 0;
  #heardMs: number | undefined;
  #failures = 0;
  #full = false;
  #linked = false;
  #closed = false;

  constructor(plan: UpstreamPlan, kind: 'M' | 'S', name: string, intake: Intake, asker: Asker, ports: JetStreamPorts) {
    this.plan = plan;
    this.#kind = kind;
    this.#name = name;
    this.#intake = intake;
    this.#asker = asker;
    this.#ports = ports;
  }

  /** Begins; called again whenever a stream appears here, which tells nothing about an origin elsewhere. */
  attach(): void {
    if (this.#closed || this.#linked || this.#retry !== undefined) return;
    this.#linked = true;
    // Imports are set and the account is served when this turn is over.
    this.#ports.door.soon(() => this.#ask());
  }

  #ask(): void {
    if (this.#closed) return;
    this.#drop();
    this.#linked = true;
    const beginning = this.#beginning();
    if (this.#nextSeq === undefined) return;
    const { source } = this.plan;
    const { door } = this.#ports;
    const inbox = `_INBOX.JS.${this.#asker.unique(22)}`;
    this.#consumerSeq = 0;
    this.#subscriptions = [door.subscribe(this.#asker.number, inbox, (message) => this.#answered(message))];
    if (source.consumer === undefined) {
      const deliver = deliverSubject(source, this.#kind, this.#asker.unique(8));
      const request = consumerRequest(source, `JS_SRC_${this.#asker.unique(12)}`, deliver, beginning);
      this.#listen(deliver);
      door.publish(this.#asker.number, request.subject, inbox, undefined, encoder.encode(encodeJson(request.body)));
    } else door.publish(this.#asker.number, resetRequest(source), inbox, undefined, nothing);
    this.#expectWord();
  }

  #listen(deliver: string): void {
    this.#subscriptions.push(this.#ports.door.subscribe(this.#asker.number, deliver, (message) => this.#delivered(message)));
  }

  #beginning(): Beginning {
    if (this.#nextSeq !== undefined && this.#startTime === undefined) return { seq: this.#nextSeq };
    let asked: Instant | undefined;
    const seqAtTime = (at: Instant): number => {
      asked = at;
      return 1;
    };
    const range: OriginRange = { firstSeq: 1, lastSeq: Number.MAX_SAFE_INTEGER, seqAtTime };
    this.#nextSeq = this.#intake.start(range, () => this.#ports.door.soon(() => this.#ask()));
    this.#startTime = this.#nextSeq === 1 ? asked : undefined;
    if (this.#startTime !== undefined) return { at: this.#startTime };
    return this.#nextSeq === undefined || this.#nextSeq <= 1 ? undefined : { seq: this.#nextSeq };
  }

  #answered(message: InboundMessage): void {
    const answer = readConsumerAnswer(decoder.decode(message.payload));
    if (answer === undefined) return;
    if (!answer.ok) {
      this.#error = answer.error;
      this.#ports.log.warn(`${this.#name}: ${answer.error.description}`);
      return this.#again();
    }
    const { consumer } = this.plan.source;
    if (consumer !== undefined && answer.ackPolicy !== 'flow_control') {
      this.#error = apiError(this.#kind === 'M' ? 'MirrorConsumerRequiresAckFCErr' : 'SourceConsumerRequiresAckFCErr');
      return this.#again();
    }
    this.#heard();
    this.#error = undefined;
    this.#failures = 0;
    this.#pending = answer.pending;
    this.#intake.begun?.(answer.delivered + 1);
    if (consumer === undefined) return;
    this.#nextSeq = Math.max(this.#nextSeq ?? 1, answer.delivered + 1);
    this.#listen(consumer.deliver_subject);
  }

  #delivered(message: InboundMessage): void {
    this.#heard();
    const delivery = readDelivery(message.reply);
    if (delivery === undefined) return this.#told(message);
    if (delivery.consumerSeq !== this.#consumerSeq + 1) return this.#again();
    const { seq, ts, pending } = delivery;
    if (seq < (this.#nextSeq ?? 1)) {
      // It was taken from the consumer before.
      this.#consumerSeq = delivery.consumerSeq;
      return;
    }
    const { subject, headers, payload } = message;
    const fault = this.#intake.take({ seq, subject, ts, headers, payload });
    if (fault !== undefined) {
      this.#nextSeq = seq;
      this.#startTime = undefined;
      if (!this.#full) this.#ports.log.warn(`${this.#name} waits: ${fault.description}`);
      this.#full = true;
      return this.#again();
    }
    this.#full = false;
    this.#consumerSeq = delivery.consumerSeq;
    this.#nextSeq = seq + 1;
    this.#startTime = undefined;
    this.#pending = pending;
  }

  /** Heartbeats and flow control. */
  #told({ headers, reply }: InboundMessage): void {
    const code = status.exec(decoder.decode(headers))?.[1];
    if (code === undefined) return;
    if (code !== '100') return this.#again();
    const fields = parseHeaders(headers);
    const stalled = fields.get('Nats-Consumer-Stalled');
    const last = fields.get('Nats-Last-Consumer');
    if (last !== undefined && Number(last) > this.#consumerSeq) return this.#again();
    const answerTo = reply === '' ? stalled : reply;
    if (answerTo === undefined) return;
    const { door } = this.#ports;
    const reached = buildHeaders('', [
      ['Nats-Last-Consumer', this.#consumerSeq],
      ['Nats-Last-Stream', (this.#nextSeq ?? 1) - 1],
    ]);
    this.#intake.whenSynced(() => {
      if (!this.#closed) door.publish(this.#asker.number, answerTo, '', reached, nothing);
    });
  }

  #heard(): void {
    this.#heardMs = this.#ports.clock.monotonicMs();
    this.#expectWord();
  }

  #expectWord(): void {
    if (this.#silence !== undefined) return;
    const asked = this.#ports.clock.monotonicMs();
    this.#silence = this.#ports.clock.after(SILENCE_MS, () => {
      this.#silence = undefined;
      const since = this.#ports.clock.monotonicMs() - Math.max(asked, this.#heardMs ?? 0);
      if (since >= SILENCE_MS) this.#again();
      else this.#expectWord();
    });
  }

  /** Drops the consumer, and asks for another after a while. */
  #again(): void {
    this.#drop();
    if (this.#closed) return;
    this.#failures++;
    this.#retry = this.#ports.clock.after(retryDelayMs(this.#failures), () => {
      this.#retry = undefined;
      this.#ports.door.soon(() => this.#ask());
    });
  }

  #drop(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription.cancel();
    this.#silence?.cancel();
    this.#retry?.cancel();
    this.#silence = undefined;
    this.#retry = undefined;
    this.#linked = false;
  }

  /** The stream's configuration or content changed: if it waited for room, it tries again. */
  roomMade(): void {
    if (!this.#full || this.#retry === undefined) return;
    this.#drop();
    this.attach();
  }

  info(): Document {
    const { clock } = this.#ports;
    const sinceMs = this.#heardMs === undefined ? -1 : clock.monotonicMs() - this.#heardMs;
    return upstreamInfo(this.plan, this.#pending, sinceMs, this.#error);
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }
}
