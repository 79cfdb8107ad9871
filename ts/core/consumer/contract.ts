// What goes into the consumer machine and what comes out of it: plain values. Times are milliseconds since 1970.

import type { AdvisoryId } from '../jetstream/advisories.ts';
import type { AckVerb } from './ack.ts';
import type { SequencePair } from './o-dat.ts';
import type { Pin } from './priority.ts';
import type { PullRequest, Refusal } from './pull-request.ts';

export type ConsumerInput =
  | { readonly is: 'pull'; readonly reply: string; readonly request: PullRequest | Refusal }
  | {
      readonly is: 'ack';
      readonly streamSeq: number;
      readonly consumerSeq: number;
      readonly deliveries: number;
      readonly verb: AckVerb;
      readonly reply: string;
    }
  /** A flow control request was answered, perhaps with the sequences of the last message received. */
  | { readonly is: 'flow'; readonly subject: string; readonly received?: SequencePair }
  /** Somebody listens on the deliver subject, or nobody any more. */
  | { readonly is: 'interest'; readonly active: boolean }
  /** Requests of inboxes that nobody listens on are dropped. */
  | { readonly is: 'deaf' }
  /** Messages of this range went, by limits or one by one; others may be left in it. */
  | { readonly is: 'removed'; readonly fromSeq: number; readonly toSeq: number }
  /** The stream was purged, whole or in part; nothing before this sequence is left for the consumer. */
  | { readonly is: 'purged'; readonly firstSeq: number }
  /** The stream begins at this sequence now. */
  | { readonly is: 'first'; readonly firstSeq: number }
  /** Begins anew: delivers this sequence next, whatever was delivered before. */
  | { readonly is: 'reset'; readonly nextSeq: number }
  /** The pinned client of a priority group is not pinned any more. */
  | { readonly is: 'unpin'; readonly group: string };

/** One batch to read from the stream and send. */
export interface DeliverWork {
  readonly deliverSubject: string;
  readonly fromSeq: number;
  /** 0: as far as is visible. */
  readonly toSeq: number;
  /** Exactly these, as far as they are there, in place of a range. */
  readonly picks: Float64Array | undefined;
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly firstConsumerSeq: number;
  readonly deliveries: number;
  readonly again: boolean;
  /** The pin that the messages carry in a header of their own. */
  readonly pinId: string | undefined;
}

export interface DeliverResult {
  readonly messages: number;
  readonly bytes: number;
  readonly nextSeq: number;
  readonly seqs: ArrayLike<number>;
  /** How many of the picks are done with. */
  readonly picked: number;
  readonly stopped: 'end' | 'messages' | 'bytes' | 'interest';
}

export type ConsumerOutput =
  | {
      readonly is: 'status';
      readonly to: string;
      readonly status: string;
      readonly headers: readonly (readonly [string, string | number])[];
      readonly reply: string;
    }
  /** An acknowledgement with a reply was applied: confirm it once the state is safe. */
  | { readonly is: 'confirm'; readonly to: string }
  | { readonly is: 'advisory'; readonly id: AdvisoryId; readonly fields: Readonly<Record<string, unknown>> }
  /** Acknowledged for good: a stream that deletes on ack may act. */
  | { readonly is: 'settled'; readonly fromSeq: number; readonly toSeq: number }
  /** A pause has ended. */
  | { readonly is: 'resumed' }
  /** Unused for longer than its inactive threshold. */
  | { readonly is: 'inactive' };

/** What the machine asks about its stream; answered from memory. */
export interface StreamView {
  /** Messages up to this sequence may be shown. */
  readonly visibleSeq: number;
  /** Messages the consumer's filters select at or behind a sequence. */
  countPending(fromSeq: number): number;
  isStored(seq: number): boolean;
  /** When the first of them was stored. */
  nextStoredMs(fromSeq: number): number;
  /** Whether somebody listens on a subject. */
  listens(subject: string): boolean;
  /** A name nobody can guess, for a pin. */
  freshPin(): string;
}

export interface ConsumerInfoState {
  readonly delivered: { readonly consumer: number; readonly stream: number };
  readonly ackFloor: { readonly consumer: number; readonly stream: number };
  readonly deliveredAtMs: number;
  readonly ackedAtMs: number;
  readonly ackPending: number;
  readonly redelivered: number;
  readonly waiting: number;
  readonly pending: number;
  readonly pushActive: boolean;
  readonly pin: Pin;
}
