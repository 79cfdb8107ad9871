// Names nobody can guess, of letters and digits: ids of advisories, pins, inboxes.

import type { Random } from '../../ports/random.ts';

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export function uniqueName(random: Random, length: number): string {
  let name = '';
  for (let index = 0; index < length; index++) name += letters[random.below(letters.length)] ?? '';
  return name;
}
