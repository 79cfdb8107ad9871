// Remembers on disk how far the sources of a stream are, for when none of their messages are left at the next start.
// Kept true: a place is written when everything up to it is on disk, so that it never skips a message; it may lag behind by a second.

import { decodePlaces, encodePlaces, placesFileName } from '../../core/stream/places-file.ts';
import { shortHash } from '../../core/jetstream/short-hash.ts';
import type { Timer } from '../../ports/clock.ts';
import type { SourcedStream } from './sourcing.ts';

const writeEveryMs = 1_000;
const encoder = new TextEncoder();

export class SourcePlaces {
  readonly #stream: SourcedStream;
  #places: Map<string, number> | undefined;
  readonly #names = new Map<string, string>();
  #timer: Timer | undefined;
  #changed = false;
  #closed = false;

  constructor(stream: SourcedStream) {
    this.#stream = stream;
  }

  /** Identities hold subjects, which a file that is not encrypted must not show. */
  #name(identity: string): string {
    const name = this.#names.get(identity) ?? shortHash(this.#stream.ports.crypto.sha256(encoder.encode(identity)));
    this.#names.set(identity, name);
    return name;
  }

  #known(): Map<string, number> {
    if (this.#places === undefined) {
      const content = this.#stream.store.readBeside(placesFileName);
      this.#places = content === undefined ? new Map<string, number>() : decodePlaces(content);
    }
    return this.#places;
  }

  /** The origin's sequence that was taken last, 0 for none known. */
  of(identity: string): number {
    return this.#known().get(this.#name(identity)) ?? 0;
  }

  /** A message was taken; it need not be on disk yet. */
  taken(identity: string, seq: number): void {
    this.#known().set(this.#name(identity), seq);
    this.#changed = true;
    this.#timer ??= this.#stream.ports.clock.after(writeEveryMs, () => {
      this.#timer = undefined;
      const content = encodePlaces(this.#known());
      this.#changed = false;
      this.#stream.whenSynced(() => {
        if (!this.#closed) this.#stream.store.writeBeside(placesFileName, content);
      });
    });
  }

  /** What was taken and is not on disk was not taken: what the file says is true. */
  revived(): void {
    this.#places = undefined;
    this.#changed = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** The stream has stopped and everything is on disk. */
  stopped(): void {
    if (this.#changed) this.#stream.store.writeBeside(placesFileName, encodePlaces(this.#known()));
  }
}
