// What a consumer sees of its stream: the messages its filters select, how far they may be shown, who listens.

import type { StreamView } from '../../core/consumer/contract.ts';
import { instantMs } from '../../core/jetstream/instant.ts';
import type { Selection } from '../store/store.ts';
import { isFault } from './request.ts';
import type { Stream } from './stream.ts';

export class ConsumerView implements StreamView {
  readonly #stream: Stream;
  #selection: Selection;

  constructor(stream: Stream, filters: readonly string[]) {
    this.#stream = stream;
    this.#selection = stream.store.select(filters);
  }

  get selection(): Selection {
    return this.#selection;
  }

  /** Takes other filters. */
  select(filters: readonly string[]): void {
    this.#selection.close();
    this.#selection = this.#stream.store.select(filters);
  }

  close(): void {
    this.#selection.close();
  }

  get visibleSeq(): number {
    return this.#stream.store.syncedSeq;
  }

  countPending(fromSeq: number): number {
    return this.#selection.count(fromSeq);
  }

  nextStoredMs(fromSeq: number): number {
    const { store } = this.#stream;
    return this.#orUnknown(0, () => {
      const seq = store.nextSeq(this.#selection.filters, fromSeq);
      const message = seq === 0 ? undefined : store.get(seq);
      return message === undefined ? 0 : instantMs(message.ts);
    });
  }

  isStored(seq: number): boolean {
    return this.#orUnknown(true, () => this.#stream.store.nextSeq([], seq) === seq);
  }

  /** What the store says, or what is taken for it as long as that does not know. */
  #orUnknown<T>(unknown: T, ask: () => T): T {
    try {
      return ask();
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      return unknown;
    }
  }

  freshPin(): string {
    return this.#stream.freshPin();
  }

  listens(subject: string): boolean {
    const { ports, account } = this.#stream;
    return ports.door.hasInterest(account.number, subject);
  }
}
