/**
 * Where a stream's messages lie, as plainly as it can be said: an array of places. The twin of the kernel's sequence index, of segments
 * and chunks, for property tests.
 */

export interface PlainPlace {
  readonly seq: number;
  readonly subject: string;
  readonly length: number;
  /** What it counts in the stream's bytes. */
  readonly counted: number;
  block: number;
  offset: number;
  isLive: boolean;
}

const TOMBSTONE = 30;
/** What a record has more than a message in memory counts, without and with headers. */
const MORE = 14;
const MORE_WITH_HEADERS = 18;

export class PlainPlaces {
  readonly #limit: number;
  readonly #inMemory: boolean;
  places: PlainPlace[] = [];
  last = 0;
  block = 1;
  #offset = 0;

  constructor(blockLimit: number, inMemory: boolean) {
    this.#limit = blockLimit;
    this.#inMemory = inMemory;
  }

  get live(): readonly PlainPlace[] {
    return this.places.filter(({ isLive }) => isLive);
  }

  #room(length: number): number {
    if (this.#offset > 0 && this.#offset + length > this.#limit) {
      this.block++;
      this.#offset = 0;
    }
    this.#offset += length;
    return this.#offset - length;
  }

  append(subject: string, headerLength: number, payloadLength: number): void {
    const length = TOMBSTONE + subject.length + payloadLength + headerLength + (headerLength > 0 ? 4 : 0);
    const counted = this.#inMemory ? length - (headerLength > 0 ? MORE_WITH_HEADERS : MORE) : length;
    const offset = this.#room(length);
    this.places.push({ seq: ++this.last, subject, length, counted, block: this.block, offset, isLive: true });
  }

  delete(seq: number): boolean {
    const place = this.places.find((each) => each.seq === seq && each.isLive);
    if (place === undefined) return false;
    place.isLive = false;
    this.#room(TOMBSTONE);
    return true;
  }

  /** The stretches of a block that its messages take, and that it consists of from now on. */
  compact(block: number): Uint32Array {
    const stretches: [offset: number, length: number][] = [];
    let offset = 0;
    for (const place of this.places) {
      if (place.block !== block || !place.isLive) continue;
      const before = stretches.at(-1);
      if (before !== undefined && before[0] + before[1] === place.offset) before[1] += place.length;
      else stretches.push([place.offset, place.length]);
      place.offset = offset;
      offset += place.length;
    }
    return Uint32Array.from(stretches.flat());
  }
}
