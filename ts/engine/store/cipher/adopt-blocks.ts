// Brings the blocks of a stream that is being opened to the configured key and cipher: plain ones and those of another cipher are written anew,
// of those under the previous key only the key file, except for the last block, which goes on growing and gets a key of its own.

import type { ContentKey } from '../../../ports/ciphers.ts';
import type { Disk } from '../../../ports/disk.ts';
import type { Jobs } from '../../../ports/jobs.ts';
import type { BlockFiles } from '../block-files.ts';
import { StoreFault } from '../store.ts';
import { keyFileOf, type BlockKeys } from './block-keys.ts';
import type { OpenedKey } from './keyring.ts';
import { commitTogether, finishTogether, nextOf, prepareKey } from './replace-together.ts';

export interface AdoptPorts {
  readonly disk: Disk;
  readonly jobs: Jobs;
}

const WAITING = /^([1-9][0-9]*)\.(blk|key)\.(next|tmp)$/;

/** Before blocks are read: ends or takes back what an earlier run was doing with their files. */
export function finishBlocks(disk: Disk, directory: string): void {
  const interrupted = new Set<string>();
  for (const { name } of disk.list(directory)) {
    const [, number, , kind] = WAITING.exec(name) ?? [];
    if (number === undefined) continue;
    if (kind === 'tmp') disk.remove(`${directory}/${name}`);
    else interrupted.add(number);
  }
  for (const number of interrupted) finishTogether(disk, directory, keyFileOf(Number(number)), [`${number}.blk`]);
}

async function encryptAnew(
  { disk, jobs }: AdoptPorts,
  files: BlockFiles,
  keys: BlockKeys,
  block: number,
  old: ContentKey | undefined,
): Promise<void> {
  const { directory } = files;
  const name = `${block}.blk`;
  const { file, content } = keys.make(block);
  prepareKey(disk, directory, { name: keyFileOf(block), content: file });
  const { problem } = await jobs.rewrite({
    path: `${directory}/${name}`,
    target: `${directory}/${nextOf(name)}`,
    newKey: content,
    ...(old === undefined ? {} : { key: old }),
  });
  if (problem !== undefined) throw new StoreFault('BLOCK', `${directory}/${name} cannot be encrypted: ${problem}`);
  files.release(block);
  commitTogether(disk, directory, keyFileOf(block), [name]);
  files.encrypted(block, content);
}

/** `found` has the key of each block. Rejects with a StoreFault when one cannot be written; another start goes on from there. */
export async function adoptBlocks(
  ports: AdoptPorts,
  files: BlockFiles,
  keys: BlockKeys,
  found: ReadonlyMap<number, OpenedKey | undefined>,
): Promise<void> {
  const blocks = files.numbers();
  for (const block of blocks) {
    const opened = found.get(block);
    if (opened !== undefined && opened.outdated === undefined) continue;
    if (opened?.outdated === 'key' && block !== blocks.at(-1)) keys.wrap(block, opened.content);
    else await encryptAnew(ports, files, keys, block, opened?.content);
  }
}
