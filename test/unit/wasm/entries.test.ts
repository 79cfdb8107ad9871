/** The sequence index against its twin: whatever is appended, deleted and moved, each message is found where it lies, and its subject's next one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { moveBlock } from '../../../ts/kernel/compaction.ts';
import { Kernel, type ColdPages } from '../../../ts/kernel/kernel.ts';
import { StreamKernel, streamFlag } from '../../../ts/kernel/streams.ts';
import { loadKernel } from '../../../ts/node/wasm.ts';
import { effort, holds } from '../../oracle/check.ts';
import { PlainPlaces } from '../../oracle/places.ts';

const module = loadKernel('server', import.meta.dirname);
const LIMIT = 20_000;

interface Burst {
  readonly burst: number;
  readonly subjects: number;
  readonly sizes: number;
  readonly headersEach: number;
  readonly skipEach: number;
  readonly deletes: boolean;
}

type Step =
  | Burst
  | { readonly deleteEach: number; readonly from: number }
  | { readonly skip: number }
  | { readonly compact: number }
  | { readonly isFull: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      burst: fc.integer({ min: 1, max: 400 }),
      subjects: fc.constantFrom(1, 2, 30, 1000),
      sizes: fc.constantFrom(1, 2, 90),
      headersEach: fc.constantFrom(0, 0, 1, 5),
      skipEach: fc.constantFrom(0, 0, 9),
      deletes: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ deleteEach: fc.constantFrom(1, 2, 7, 50), from: fc.nat(1500) }) },
  { weight: 1, arbitrary: fc.record({ skip: fc.constantFrom(1, 5, 130, 4000, 5000) }) },
  { weight: 2, arbitrary: fc.record({ compact: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ isFull: fc.boolean() }) },
);

/** The file of what has no room in memory, as bytes. */
class Pages implements ColdPages {
  #bytes = Buffer.alloc(0);
  written = 0;
  readCount = 0;
  isFull = false;

  read(place: number, into: Uint8Array): boolean {
    this.readCount++;
    into.set(this.#bytes.subarray(place, place + into.length));
    return true;
  }

  write(place: number, bytes: Uint8Array): boolean {
    const end = place + bytes.length;
    // What a full disk has room for is what it has already.
    if (this.isFull && end > this.#bytes.length) return false;
    if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(end - this.#bytes.length)]);
    this.#bytes.set(bytes, place);
    this.written = Math.max(this.written, end);
    return true;
  }

  lost(): void {
    throw new Error('a chunk did not come back as it was written');
  }
}

class Pair {
  readonly plain: PlainPlaces;
  readonly stream: number;
  readonly #streams: StreamKernel;
  readonly #pages: Pages;

  constructor(streams: StreamKernel, account: number, inMemory: boolean, pages: Pages) {
    this.#streams = streams;
    this.#pages = pages;
    this.plain = new PlainPlaces(LIMIT, inMemory);
    this.stream = streams.open(1, account, 'S', '');
    streams.exports.tailStream(this.stream, 1, 0);
    streams.exports.limitStream(this.stream, -1, -1, -1, -1, LIMIT);
    if (inMemory) streams.exports.flagStream(this.stream, streamFlag.memory, 0);
  }

  act(what: Step): void {
    if ('burst' in what) this.#publish(what);
    else if ('deleteEach' in what) {
      for (let n = 0; n < 40; n++) this.#delete(what.from + n * what.deleteEach);
    } else if ('skip' in what) {
      this.#skip(what.skip);
    } else if ('isFull' in what) {
      this.#pages.isFull = what.isFull;
    } else if (what.compact < this.plain.block) {
      moveBlock(this.#streams, this.stream, what.compact, this.plain.compact(what.compact));
    }
  }

  #publish(what: Burst): void {
    for (let n = 0; n < what.burst; n++) {
      const subject = `s.${(n * 13) % what.subjects}`;
      const headerLength = what.headersEach > 0 && n % what.headersEach === 0 ? 12 + (n % 3) : 0;
      const size = (n * 31) % what.sizes;
      this.#streams.append(this.stream, subject, '', new Uint8Array(headerLength), new Uint8Array(size), -1, 0);
      this.plain.append(subject, headerLength, size);
      // A tombstone behind each message.
      if (what.deletes) this.#delete(this.plain.places.at(-4)?.seq ?? 0);
      if (what.skipEach > 0 && n % what.skipEach === 0) this.#skip(2);
    }
  }

  #skip(count: number): void {
    this.plain.last += count;
    this.#streams.exports.jumpStream(this.stream, this.plain.last);
  }

  #delete(seq: number): void {
    const isThere = this.#streams.exports.deleteOne(this.stream, Math.max(0, seq)) !== 0;
    assert.equal(isThere, this.plain.delete(seq), `delete ${seq}`);
  }

  compare(): void {
    const { plain, stream } = this;
    const live = new Map(plain.live.map((place) => [place.seq, place]));
    for (let seq = 0; seq <= plain.last + 1; seq++) {
      const found = this.#streams.locate(stream, seq);
      const place = live.get(seq);
      assert.deepEqual(
        found && { block: found.block, offset: found.offset, length: found.length },
        place && { block: place.block, offset: place.offset, length: place.length },
        `message ${seq}`,
      );
    }
    const numbers = this.#streams.numbers(stream);
    assert.equal(numbers.messages, live.size);
    assert.equal(
      numbers.bytes,
      plain.live.reduce((sum, { counted }) => sum + counted, 0),
    );
    for (const subject of ['s.0', 's.1', 's.17', 's.*']) {
      const of = plain.live.filter((place) => subject === 's.*' || place.subject === subject).map(({ seq }) => seq);
      for (const from of [1, 129, plain.last >> 1, plain.last]) {
        const behind = of.filter((seq) => seq >= from);
        assert.equal(this.#streams.nextOn(stream, subject, from), behind[0] ?? 0, `next of ${subject} from ${from}`);
        assert.equal(this.#streams.countOn(stream, [subject], from), behind.length, `${subject} from ${from}`);
      }
      assert.equal(this.#streams.lastOn(stream, subject), of.at(-1) ?? 0, `last of ${subject}`);
    }
  }

  /** The first message of a subject goes, until there is none: each time the next one is the first. */
  followSubject(subject: string): void {
    for (const { seq } of this.plain.live.filter((place) => place.subject === subject)) {
      assert.equal(this.#streams.nextOn(this.stream, subject, 1), seq);
      assert.ok(this.#streams.exports.deleteOne(this.stream, seq));
    }
    assert.equal(this.#streams.nextOn(this.stream, subject, 1), 0);
  }
}

for (const isCold of [false, true])
  test(`each message is found where it lies, through bursts, deletes, gaps and blocks written anew${isCold ? ', with the index on disk' : ''}`, () => {
    const kernel = new Kernel({ module, seed: [1, 2] });
    const streams = new StreamKernel(kernel);
    const pages = new Pages();
    kernel.cold = pages;
    if (isCold) streams.exports.boundIndex(1);
    const account = kernel.openAccount(1);
    kernel.exports.setNow(1_800_000_000, 0);
    const run = (steps: readonly Step[], inMemory: boolean): void => {
      const pair = new Pair(streams, account, inMemory, pages);
      for (const what of steps) pair.act(what);
      pair.compare();
      pair.followSubject('s.0');
      pair.followSubject('s.13');
      streams.exports.closeStream(pair.stream);
    };
    // What is kept for the next questions is made by the first, and what is kept for the file.
    run(
      [
        { burst: 400, subjects: 1000, sizes: 90, headersEach: 0, skipEach: 0, deletes: false },
        { burst: 400, subjects: 1000, sizes: 90, headersEach: 0, skipEach: 0, deletes: false },
        { compact: 1 },
      ],
      false,
    );
    const before = kernel.exports.liveBytes();
    holds(fc.property(fc.array(step, { minLength: 3, maxLength: 14 }), fc.boolean(), run), effort(150));
    assert.equal(kernel.exports.liveBytes(), before, 'what a closed stream took is given back');
    assert.equal(pages.readCount > 1000, isCold);
    assert.ok(pages.written < 4 << 20, 'room in the file is used again');
  });

/** What `count` messages take of the kernel's memory, each, in blocks of the usual size. */
function bytesEach(count: number, subjects: number, sizes: number, indexBytes = 0): number {
  const kernel = new Kernel({ module, seed: [1, 2] });
  const streams = new StreamKernel(kernel);
  kernel.cold = new Pages();
  streams.exports.boundIndex(indexBytes);
  const stream = streams.open(1, kernel.openAccount(1), 'S', '');
  streams.exports.limitStream(stream, -1, -1, -1, -1, 8 << 20);
  const write = (): void => streams.exports.runsWritten(stream, streams.takeRuns(stream).length);
  let empty = 0;
  for (let n = 0; n < count; n++) {
    const payload = new Uint8Array((n * 7919) % sizes);
    streams.append(stream, `s.${n % subjects}`, '', new Uint8Array(0), payload, -1, 0);
    if (n % 500 === 499) write();
    if (n === subjects) {
      write();
      empty = kernel.exports.liveBytes();
    }
  }
  write();
  return (kernel.exports.liveBytes() - empty) / count;
}

test('messages that are alike take less than a byte each of the index, others a few', () => {
  assert.ok(bytesEach(100_000, 1, 1) < 1);
  assert.ok(bytesEach(100_000, 1, 1000) < 2.5);
  assert.ok(bytesEach(100_000, 1000, 1000) < 6);
});

test('beyond the bound of the index a message takes next to nothing', () => {
  const count = 400_000;
  const bound = 64 * 1024;
  // Beside the bound: the block that is appended to, four frames, what is written at once, and a word for 128 messages.
  const rest = 40_000 + 4 * 2_048 + 64 * 1024 + (count / 128) * 5;
  assert.ok(bytesEach(count, 1, 1000) * count > 800_000);
  assert.ok(bytesEach(count, 1, 1000, bound) * count < bound + rest);
});
