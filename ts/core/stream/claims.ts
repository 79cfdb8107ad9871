// What the streams of an account claim for themselves: the subjects they listen on, and the bytes they reserve by `max_bytes`. Kept as an index
// and as sums, since every creation asks, however many streams there are.
// Kept true: a stream's claims are those of the configuration it was added with, until that same configuration is removed.

import type { StreamConfig } from '../jetstream/stream-config.ts';
import { SubjectOwners } from '../subject/subject-owners.ts';
import { tokens } from '../subject/subject.ts';

export type Claiming = Pick<StreamConfig, 'name' | 'subjects' | 'storage' | 'max_bytes'>;

export class Claims {
  readonly #subjects = new SubjectOwners();
  readonly #reserved: Record<StreamConfig['storage'], number> = { file: 0, memory: 0 };

  add({ name, subjects, storage, max_bytes }: Claiming): void {
    for (const subject of subjects) this.#subjects.add(name, tokens(subject));
    this.#reserved[storage] += Math.max(0, max_bytes);
  }

  remove({ name, subjects, storage, max_bytes }: Claiming): void {
    for (const subject of subjects) this.#subjects.remove(name, tokens(subject));
    this.#reserved[storage] -= Math.max(0, max_bytes);
  }

  /** Whether another stream listens on one of the subjects. */
  overlaps(subjects: readonly string[], except: string): boolean {
    return subjects.some((subject) => this.#subjects.overlaps(tokens(subject), except));
  }

  /** Bytes reserved in all. */
  reserved(storage: StreamConfig['storage']): number {
    return this.#reserved[storage];
  }
}
