// What a stream keeps beside its messages: its metadata, its consumers with theirs, and small files beside the blocks.

import type { BesideFileName } from '../../core/stream/times-file.ts';
import type { Lost } from './recover.ts';
import type { FoundConsumer } from './store.ts';
import type { StreamDirectory } from './stream-directory.ts';
import { StreamSettings, type SettingsParts } from './stream-settings.ts';

export abstract class StreamBeside extends StreamSettings {
  readonly #directory: StreamDirectory;

  constructor(parts: SettingsParts & { readonly directory: StreamDirectory }, account: number, lost: Lost) {
    super(parts, account, lost);
    this.#directory = parts.directory;
  }

  /** Asks for a round, which syncs what was written. */
  protected abstract askRound(): void;

  protected abstract readonly isWriting: boolean;

  writeMeta(meta: string): void {
    this.#directory.writeMeta(meta);
    this.askRound();
  }

  readBeside(name: BesideFileName): Uint8Array | undefined {
    return this.#directory.readBeside(name);
  }

  writeBeside(name: BesideFileName, content: Uint8Array): void {
    if (this.isWriting) this.#directory.writeBeside(name, content);
  }

  consumers(): Iterable<FoundConsumer> {
    return this.#directory.consumers();
  }

  writeConsumer(name: string, meta: string): void {
    this.#directory.writeConsumer(name, meta);
    this.askRound();
  }

  get statesRideRounds(): boolean {
    return this.#directory.ridesRounds;
  }

  writeConsumerState(name: string, state: Uint8Array, durable: boolean): void {
    if (this.#directory.writeConsumerState(name, state, durable)) this.askRound();
  }

  removeConsumer(name: string): void {
    this.#directory.removeConsumer(name);
    this.askRound();
  }
}
