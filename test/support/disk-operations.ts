/** Names of what a disk can be asked for at once, for disks that refuse some of it. */

/** What changes something on it. */
export const changing = [
  'makeDirectory',
  'writeWhole',
  'replace',
  'rename',
  'remove',
  'removeTree',
  'discard',
  'syncDirectory',
  'write',
  'cut',
] as const;
