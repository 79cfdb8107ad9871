// Judges the members of a batch one after the other, each against the stream and against those before it that are not stored yet. The order of
// checks is not that of plain publishes, because nats-server makes them before it hands a batch on.
// Kept true: nothing of the stream is changed; a stage that is given up leaves no trace.

import { apiError, type ApiError } from '../jetstream/errors.ts';
import type { StreamConfig } from '../jetstream/stream-config.ts';
import type { CounterState } from './counter.ts';
import { accept, countFor, counterOn, refusal, stored, type Accepted } from './judge.ts';
import {
  checkExpectedStream,
  checkHeaderSize,
  checkIncrement,
  checkMessageSize,
  checkRollup,
  checkSchedule,
  checkTtlAllowed,
  checkTtlValid,
  expectedSequence,
  isSchedule,
  storedBytes,
  valueOf,
  type JudgeView,
  type Publish,
  type ScheduleView,
} from './judge-checks.ts';

interface StagedSubject {
  readonly messages: number;
  readonly isSchedule: boolean;
}

/** `duplicateOf`: the message id is known, stored under that sequence (0: it is a member's before). */
export type StagedVerdict = Accepted | { readonly is: 'refuse'; readonly error: ApiError; readonly duplicateOf?: number };

/** What the members before would change. */
export class Stage {
  readonly #ids = new Set<string>();
  readonly #counters = new Map<string, CounterState>();
  readonly #subjects = new Map<string, StagedSubject>();
  readonly #expected = new Map<string, number>();
  #messages = 0;
  #bytes = 0;

  judge(config: StreamConfig, publish: Publish, view: JudgeView): StagedVerdict {
    const early =
      checkHeaderSize(publish.block) ??
      checkIncrement(config, publish) ??
      checkExpectedStream(config, publish) ??
      this.#checkTtl(config, publish);
    if (early !== undefined) return refusal(early);
    const known = this.#checkId(publish, view);
    if (known !== undefined) return known;
    const counted = countFor(config, publish, () => this.#counters.get(publish.subject) ?? counterOn(view, publish.subject));
    if ('err_code' in counted) return refusal(counted);
    const { block, payload } = stored(config, publish, counted);
    const isCounted = 'state' in counted;
    const late =
      (isCounted ? checkMessageSize(config, block, payload) : undefined) ??
      this.#checkSequences(publish, view) ??
      checkSchedule(config, publish, this.#withStaged(view)) ??
      checkRollup(config, publish) ??
      this.#checkRollupPlace(publish);
    if (late !== undefined) return refusal(late);
    if (isCounted) this.#counters.set(publish.subject, counted.state);
    const bytes = storedBytes(config, { subject: publish.subject, headerBytes: block.length, payloadBytes: payload.length });
    const full = this.#add(config, publish, bytes, view);
    return full === undefined ? accept(config, publish, block, payload, counted) : refusal(full);
  }

  #checkTtl(config: StreamConfig, publish: Publish): ApiError | undefined {
    const broken = checkTtlValid(publish);
    if (broken !== undefined && !config.allow_msg_ttl) return apiError('MessageTTLDisabledErr');
    return checkTtlAllowed(config, publish) ?? broken;
  }

  #checkId({ headers }: Publish, view: JudgeView): StagedVerdict | undefined {
    const id = valueOf(headers, 'Nats-Msg-Id');
    if (id === '') return undefined;
    const error = apiError('AtomicPublishContainsDuplicateMessageErr');
    if (this.#ids.has(id)) return { is: 'refuse', error, duplicateOf: 0 };
    const seq = view.duplicateOf(id);
    if (seq !== undefined) return { is: 'refuse', error, duplicateOf: seq };
    this.#ids.add(id);
    return undefined;
  }

  #checkSequences({ headers, subject }: Publish, view: JudgeView): ApiError | undefined {
    const last = view.lastSeq + this.#messages;
    const onStream = expectedSequence(headers, 'Nats-Expected-Last-Sequence');
    if (onStream !== undefined && onStream !== last) return apiError('StreamWrongLastSequenceErrF', { seq: last });
    if (onStream !== undefined && this.#subjects.size > 0) return apiError('StreamWrongLastSequenceConstantErr');
    const filter = valueOf(headers, 'Nats-Expected-Last-Subject-Sequence-Subject');
    const onSubject = expectedSequence(headers, 'Nats-Expected-Last-Subject-Sequence');
    if (onSubject === undefined) return filter === '' ? undefined : apiError('StreamExpectedLastSeqPerSubjectInvalid');
    const asked = filter === '' ? subject : filter;
    if (this.#subjects.has(asked)) return apiError('StreamWrongLastSequenceConstantErr');
    const there = this.#expected.get(asked) ?? view.lastSeqOf(asked);
    if (there !== onSubject) return apiError('StreamWrongLastSequenceErrF', { seq: there });
    this.#expected.set(asked, there);
    return undefined;
  }

  /** A member before may be the schedule that this one ends. */
  #withStaged(view: JudgeView): ScheduleView {
    return {
      get now() {
        return view.now;
      },
      lastOn: (subject) => {
        const staged = this.#subjects.get(subject);
        if (staged === undefined) return view.lastOn(subject);
        return { seq: 0, headers: new Map(staged.isSchedule ? [['Nats-Schedule', '@']] : []), payload: new Uint8Array(0) };
      },
    };
  }

  #checkRollupPlace({ headers, subject }: Publish): ApiError | undefined {
    const rollup = valueOf(headers, 'Nats-Rollup').toLowerCase();
    const isLate = rollup === 'all' ? this.#subjects.size > 0 : rollup === 'sub' && this.#subjects.has(subject);
    return isLate ? apiError('StreamRollupFailedF', { err: `batch rollup ${rollup} invalid` }) : undefined;
  }

  #add(config: StreamConfig, publish: Publish, bytes: number, view: JudgeView): ApiError | undefined {
    const { subject } = publish;
    const messages = (this.#subjects.get(subject)?.messages ?? 0) + 1;
    this.#subjects.set(subject, { messages, isSchedule: isSchedule(publish) });
    this.#messages += 1;
    this.#bytes += bytes;
    if (config.discard !== 'new') return undefined;
    const full = (err: string): ApiError => apiError('StreamStoreFailedF', { err });
    if (config.max_msgs > 0 && view.messages + this.#messages > config.max_msgs) return full('maximum messages exceeded');
    if (config.max_bytes > 0 && view.bytes + this.#bytes > config.max_bytes) return full('maximum bytes exceeded');
    const perSubject = config.discard_new_per_subject && valueOf(publish.headers, 'Nats-Rollup') === '';
    if (!perSubject || view.messagesOn(subject) + messages <= config.max_msgs_per_subject) return undefined;
    return full('maximum messages per subject exceeded');
  }
}
