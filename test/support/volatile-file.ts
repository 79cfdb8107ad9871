/**
 * A file of a disk in memory: what was written, and what of it a power failure leaves. A sync writes what is dirty when it begins, and what other syncs
 * of the file are writing; one that fails loses that, and those others fail too.
 */

/** Bytes of a file from one offset up to another. */
type Stretch = readonly [from: number, to: number];

/** What a sync under way is to write. */
export interface Writing {
  readonly number: number;
  readonly content: Buffer;
  readonly stretches: readonly Stretch[];
  /** The failures of its file before it began. */
  readonly failures: number;
}

/** What of a stretch is in none of others. */
function without(stretch: Stretch, others: readonly Stretch[]): readonly Stretch[] {
  let rest: readonly Stretch[] = [stretch];
  for (const [from, to] of others) {
    const cut = rest.flatMap(([start, end]): Stretch[] => [
      [start, Math.min(end, from)],
      [Math.max(start, to), end],
    ]);
    rest = cut.filter(([start, end]) => start < end);
  }
  return rest;
}

export class VolatileFile {
  content = Buffer.alloc(0);
  synced = Buffer.alloc(0);
  /** Written, and in no sync yet. */
  #dirty: Stretch[] = [];
  readonly #writing = new Set<Writing>();
  /** What got to the disk, and by which sync: one that began before and ends later takes nothing back. */
  #written: { readonly number: number; readonly stretch: Stretch }[] = [];
  #newest = 0;
  failures = 0;

  replaced(content: Uint8Array): void {
    this.content = Buffer.from(content);
    this.#dirty = [[0, content.length]];
  }

  wrote(from: number, to: number): void {
    this.#dirty.push([from, to]);
  }

  cut(length: number): void {
    this.content = Buffer.from(this.content.subarray(0, length));
    this.#dirty = this.#dirty.map(([from, to]) => [from, Math.min(to, length)]);
  }

  begin(number: number): Writing {
    const stretches = [...this.#dirty, ...[...this.#writing].flatMap((other) => other.stretches)];
    const writing = { number, content: this.content, stretches, failures: this.failures };
    this.#dirty = [];
    this.#writing.add(writing);
    return writing;
  }

  /** The sync is through: its bytes are on the disk. */
  keep({ number, content, stretches }: Writing): void {
    if (number > this.#newest) {
      this.#newest = number;
      const grown = Buffer.alloc(content.length);
      this.synced.copy(grown);
      this.synced = grown;
    }
    const newer = this.#written.filter((other) => other.number > number).map(({ stretch }) => stretch);
    for (const stretch of stretches)
      for (const [from, to] of without(stretch, newer)) content.copy(this.synced, from, from, Math.min(to, this.synced.length));
    for (const stretch of stretches) this.#written.push({ number, stretch });
  }

  /** The sync never comes to its end: what it was to write waits for another one. */
  drop(writing: Writing): void {
    this.end(writing);
    for (const [from, to] of writing.stretches)
      if (from < this.content.length) this.#dirty.push([from, Math.min(to, this.content.length)]);
  }

  end(writing: Writing): void {
    this.#writing.delete(writing);
    if (this.#writing.size === 0) this.#written = [];
  }
}
