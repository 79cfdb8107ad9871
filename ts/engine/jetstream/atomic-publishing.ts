// The atomic batches of one stream: put aside until they commit. The kernel keeps the members that say no more than which they are, and this
// keeps the others; when one comes here that does not simply commit, what the kernel has is taken over first.
// Kept true: the members are judged against the stream as it was before them, and stored one behind the other.

import { isAboveLevel } from '../../core/jetstream/api-level.ts';
import { apiError } from '../../core/jetstream/errors.ts';
import { addHeaders, parseHeaders } from '../../core/jetstream/headers.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import { AtomicBatches, type BatchLimits, type BatchMember } from '../../core/stream/atomic-batch.ts';
import type { Accepted } from '../../core/stream/judge.ts';
import { checkHeaderSize, storedBytes, type Headers } from '../../core/stream/judge-checks.ts';
import { Stage } from '../../core/stream/staged-judge.ts';
import type { JudgedPublish } from '../store/store.ts';
import { earlyFault, withoutLevel, type BatchStorage } from './batch-storage.ts';
import type { Stream } from './stream.ts';

type Member = BatchMember<JudgedPublish>;

const lastIdHeader = 'Nats-Expected-Last-Msg-Id';
const ownHeaders = new Set(['Nats-Batch-Id', 'Nats-Batch-Sequence', 'Nats-Batch-Commit']);
const noBytes = new Uint8Array(0);

/** Whether headers ask for nothing but to be a member. */
function isPlain(headers: Headers): boolean {
  for (const name of headers.keys()) if (name.startsWith('Nats-') && !ownHeaders.has(name)) return false;
  return true;
}

/** A batch ended by a message that is not stored: its last stored one gets the mark. */
function sealed(members: readonly Member[]): readonly Member[] {
  return members.map((member, index) => {
    if (index < members.length - 1) return member;
    const headers = addHeaders(member.message.headers, [['Nats-Batch-Commit', 1]]);
    return { ...member, message: { ...member.message, headers } };
  });
}

export class AtomicPublishing {
  readonly #stream: Stream;
  readonly #storage: BatchStorage;
  readonly #limits: BatchLimits;
  readonly #batches: AtomicBatches<JudgedPublish>;

  constructor(stream: Stream, storage: BatchStorage, limits: BatchLimits) {
    this.#stream = stream;
    this.#storage = storage;
    this.#limits = limits;
    this.#batches = new AtomicBatches(limits);
  }

  get oldestMs(): number {
    return this.#batches.oldestMs;
  }

  /** Gives up batches that nobody continued for so long. */
  expire(nowMs: number, idleMs: number): void {
    for (const id of this.#batches.ids) this.#catchUp(id);
    for (const id of this.#batches.expire(nowMs, idleMs)) {
      this.#stream.store.atomic.close(id);
      this.#adviseAbandoned(id, 'timeout');
    }
  }

  clear(): void {
    this.#batches.clear();
  }

  #adviseAbandoned(batch: string, reason: string): void {
    const { account, name } = this.#stream;
    account.advise('batchAbandoned', { stream: name, batch, reason }, name);
  }

  /** Learns what the kernel has put aside of a batch. */
  #catchUp(id: string): void {
    const waiting = this.#stream.store.atomic.read(id);
    if (waiting !== undefined) this.#batches.wentAside(id, waiting.count, waiting.atMs);
  }

  /** Takes over what the kernel has put aside of a batch. */
  #takeOver(id: string): void {
    this.#catchUp(id);
    this.#batches.cameBack(id, this.#taken(id));
  }

  #taken(id: string): readonly Member[] {
    return this.#stream.store.atomic.take(id).map((taken) => ({
      message: { ...taken, reason: 'headers', reply: '' },
      headers: parseHeaders(taken.headers),
    }));
  }

  /** Lets the kernel put the next members of a batch aside. */
  #hand(id: string): void {
    const { atomic } = this.#stream.store;
    const sequence = this.#batches.progress(id);
    if (sequence === undefined) atomic.close(id);
    else atomic.open(id, sequence, this.#limits.messages);
  }

  offer(publish: JudgedPublish, headers: Headers): void {
    const { config, ports } = this.#stream;
    const { reply } = publish;
    const early =
      earlyFault(config, publish, this.#storage.view) ?? (config.allow_atomic ? undefined : apiError('AtomicPublishDisabledErr'));
    if (early !== undefined) return this.#storage.refuse(reply, early);
    const id = headers.get('Nats-Batch-Id') ?? '';
    if (headers.get('Nats-Batch-Commit') === '1' && isPlain(headers)) this.#catchUp(id);
    else this.#takeOver(id);
    this.#take(withoutLevel(publish, headers), headers, ports.clock.wallMs());
    this.#hand(id);
  }

  #take(message: JudgedPublish, headers: Headers, nowMs: number): void {
    const { config, ports, account } = this.#stream;
    const { reply } = message;
    const verdict = this.#batches.offer(message, headers, isAboveLevel(headers), nowMs);
    if (verdict.is === 'commit')
      return this.#commit(verdict.id, verdict.sealed ? verdict.members : sealed(verdict.members), verdict.aside, reply);
    if (verdict.is === 'staged') {
      if (reply !== '' && !config.no_ack) ports.door.publish(account.number, reply, '', undefined, noBytes);
      return;
    }
    this.#storage.refuse(reply, verdict.error);
    if (verdict.abandoned !== undefined) this.#adviseAbandoned(verdict.abandoned.id, verdict.abandoned.reason);
  }

  #commit(id: string, kept: readonly Member[], aside: number, reply: string): void {
    const { config, store } = this.#stream;
    const storage = this.#storage;
    const stays = aside > 0 && this.#goesAsItIs(id, kept, aside);
    const members = aside === 0 || stays ? kept : kept.toSpliced(-1, 0, ...this.#taken(id));
    const stage = new Stage();
    const accepted: [JudgedPublish, Accepted][] = [];
    for (const { message, headers } of members) {
      if ((headers.get(lastIdHeader) ?? '') !== '')
        return storage.refuse(reply, apiError('AtomicPublishUnsupportedHeaderBatchErr', { header: lastIdHeader }));
      const verdict = stage.judge(config, storage.publishOf(message, headers), storage.view);
      if (verdict.is === 'refuse') return storage.refuse(reply, verdict.error);
      accepted.push([message, verdict]);
    }
    const waiting = stays ? (store.atomic.read(id)?.bytes ?? 0) : 0;
    const bytes = accepted.reduce(
      (sum, [{ subject }, { block, payload }]) => sum + subject.length * 3 + block.length + payload.length,
      waiting,
    );
    if (store.lacksMemory(bytes)) return storage.refuse(reply, apiError('InsufficientResourcesErr'));
    let last = 0;
    for (const [index, [message, verdict]] of accepted.entries()) {
      if (stays && index === accepted.length - 1) store.atomic.store(id);
      const seq = storage.append(message, verdict);
      if (seq === undefined) return storage.refuse(reply, apiError('InsufficientResourcesErr'));
      last = seq;
    }
    const count = stays ? members.length + aside : members.length;
    storage.answer(reply, encodeJson(storage.pubAck({ seq: last, batch: id, count })));
  }

  /** Whether nothing can be said against what the kernel has put aside: no other member asks for anything, and there is room for all. */
  #goesAsItIs(id: string, kept: readonly Member[], aside: number): boolean {
    const { config, store } = this.#stream;
    const asks = kept.some(({ message, headers }) => !isPlain(headers) || checkHeaderSize(message.headers) !== undefined);
    if (asks || config.allow_msg_schedules || store.fault !== undefined) return false;
    if (config.discard !== 'new') return true;
    if (config.discard_new_per_subject) return false;
    const { messages, bytes } = store.state;
    const waiting = store.atomic.read(id)?.bytes ?? 0;
    const more = kept.reduce(
      (sum, { message: { subject, headers, payload } }) =>
        sum + storedBytes(config, { subject, headerBytes: headers.length, payloadBytes: payload.length }),
      waiting,
    );
    const { max_msgs, max_bytes } = config;
    return !(max_msgs > 0 && messages + kept.length + aside > max_msgs) && !(max_bytes > 0 && bytes + more > max_bytes);
  }
}
