// The end of a stream that stays: what the journal has of it is brought to its place, and what was deleted to be erased is overwritten.

import type { FileStreamParts } from './file-stream-parts.ts';
import type { RoundMember } from './rounds.ts';

type Parts = Pick<FileStreamParts, 'rounds' | 'erasures' | 'journal'>;

/** Resolves when everything that a member has is in its own files, behind its last round. False: the journal has some of it, for the next start. */
export async function isInPlace(member: RoundMember, { rounds, erasures, journal }: Parts): Promise<boolean> {
  try {
    await journal?.without(member.directory);
    if (!erasures.any) return true;
    rounds.add(member);
    await rounds.drained(member);
    await journal?.without(member.directory);
    return true;
  } catch {
    return false;
  }
}
