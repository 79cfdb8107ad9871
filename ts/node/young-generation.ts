// How much memory V8 gives to objects that were just made: as much as at the start, 1 MiB, and no more. It would take 16 times that, twice, as soon
// as a server makes something that stays (a stream, a connection), and never give it back: a quarter of the memory of a server with a thousand
// streams. What a message makes is gone with its turn, so that looking through the small space more often costs nothing that could be measured.
//
// Only V8 11 (Node 20) is asked, and only by the program, which owns its process. (Kept code is of a V8 with its own flags: scripts/keep-code.mjs.)

import { setFlagsFromString } from 'node:v8';

export function keepYoungGenerationSmall(v8 = process.versions.v8): void {
  // What V8 multiplies the space by when much of what is in there stays.
  if (v8.startsWith('11.')) setFlagsFromString('--semi-space-growth-factor=1');
}
