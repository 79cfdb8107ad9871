// The subjects of a stream as STREAM.INFO lists them: counted, and some of them written, a page at a time with other work in between, for a stream
// may have millions. Each page is of the moment it is read in.

import { turnsOf } from '../../lib/in-slices.ts';
import { jsonText, WrittenJson } from '../../lib/json-text.ts';
import { refuse } from './request.ts';
import type { Stream } from './stream.ts';

/** Subjects that are looked at in one turn: some milliseconds. */
const PAGE = 10_000;

export interface ListedSubjects {
  /** How many there are. */
  readonly total: number;
  /** Those from the offset on, and how many messages each has, as a JSON object; undefined: there are none. */
  readonly subjects: WrittenJson | undefined;
}

class Listing {
  readonly #stream: Stream;
  readonly #filter: string;
  readonly #from: number;
  readonly #to: number;
  readonly #members: string[] = [];
  #total = 0;
  #after: Uint8Array | undefined;

  constructor(stream: Stream, filter: string, from: number, limit: number) {
    this.#stream = stream;
    this.#filter = filter;
    this.#from = from;
    this.#to = from + limit;
  }

  /** Looks at the next page. False: there is more. */
  next(): boolean {
    if (!this.#stream.isOpen) refuse('StreamNotFoundErr');
    const { subjects, next } = this.#stream.store.subjects(this.#filter, PAGE, this.#after);
    const from = Math.max(0, this.#from - this.#total);
    const to = Math.max(from, this.#to - this.#total);
    for (const [subject, count] of subjects.slice(from, to)) this.#members.push(`${jsonText(subject)}:${count}`);
    this.#total += subjects.length;
    this.#after = next;
    return next === undefined;
  }

  get listed(): ListedSubjects {
    const members = this.#members;
    return { total: this.#total, subjects: members.length === 0 ? undefined : new WrittenJson(`{${members.join(',')}}`) };
  }
}

async function goOn(stream: Stream, listing: Listing): Promise<ListedSubjects> {
  const turns = turnsOf(stream.ports.clock);
  do await turns.pause();
  while (!listing.next());
  return listing.listed;
}

/** Lists at most `limit` subjects that match, in the order of their bytes, from an offset on. Throws or rejects with an ApiRefusal when the stream goes. */
export function listSubjects(
  stream: Stream,
  filter: string,
  from: number,
  limit: number,
): ListedSubjects | Promise<ListedSubjects> {
  const listing = new Listing(stream, filter, from, limit);
  return listing.next() ? listing.listed : goOn(stream, listing);
}
