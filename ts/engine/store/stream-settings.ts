// What a stream's kernel side is told about it: the subjects whose publishes it takes by itself, its limits and flags.

import type { Kernel } from '../../kernel/kernel.ts';
import { subscriptionKind } from '../../kernel/constants.ts';
import { streamFlag } from '../../kernel/streams.ts';
import type { StreamKernel } from '../../kernel/streams.ts';
import type { IndexFile } from './cold-index.ts';
import type { StreamReader } from './reader.ts';
import type { Lost } from './recover.ts';
import type { StoreLimits } from './store.ts';
import { StreamView } from './stream-view.ts';

export interface SettingsParts {
  readonly handle: number;
  readonly kernel: Kernel;
  readonly streams: StreamKernel;
  readonly reader: StreamReader;
  readonly index: IndexFile;
}

export abstract class StreamSettings extends StreamView {
  readonly #kernel: Kernel;
  readonly #account: number;
  readonly #subscriptions = new Map<string, number>();
  protected tellRevived: () => void = () => {};

  constructor({ handle, kernel, streams, reader, index }: SettingsParts, account: number, lost: Lost) {
    super({ handle, streams, reader, index }, lost);
    this.#kernel = kernel;
    this.#account = account;
  }

  onRevived(call: () => void): void {
    this.tellRevived = call;
  }

  lacksMemory(bytes: number): boolean {
    return this.streams.exports.streamLacksMemory(this.handle, bytes) !== 0;
  }

  setSubjects(subjects: readonly string[]): void {
    for (const [subject, subscription] of this.#subscriptions) {
      if (subjects.includes(subject)) continue;
      this.#kernel.unsubscribeServer(subscription);
      this.#subscriptions.delete(subject);
    }
    for (const subject of subjects) {
      if (this.#subscriptions.has(subject)) continue;
      this.#subscriptions.set(
        subject,
        this.#kernel.subscribeServer(this.#account, subject, '', subscriptionKind.stream, this.handle),
      );
    }
  }

  /** The limits, and the size at which a block is full. */
  protected applyLimits(limits: StoreLimits, blockLimit: number): void {
    const { maxMessages, maxBytes, maxMessagesPerSubject, maxMessageSize, discard, discardNewPerSubject } = limits;
    const { exports } = this.streams;
    exports.limitStream(this.handle, maxMessages, maxBytes, maxMessagesPerSubject, maxMessageSize, blockLimit);
    this.#flag(streamFlag.discardNew, discard === 'new');
    this.#flag(streamFlag.discardNewPerSubject, discardNewPerSubject);
  }

  setSealed(sealed: boolean): void {
    this.#flag(streamFlag.sealed, sealed);
  }

  setNoAck(noAck: boolean): void {
    this.#flag(streamFlag.noAck, noAck);
  }

  setJudged(judged: boolean): void {
    this.#flag(streamFlag.judged, judged);
  }

  #flag(flag: number, on: boolean): void {
    this.streams.exports.flagStream(this.handle, on ? flag : 0, on ? 0 : flag);
  }
}
