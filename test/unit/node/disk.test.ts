/** What the disk removes apart from everything else. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { NodeDisk } from '../../../ts/node/disk.ts';
import { temporaryFolder } from '../../support/temporary.ts';

describe('what is discarded', () => {
  let root: string;
  let disk: NodeDisk;
  const stays: string[] = [];

  beforeEach(() => {
    root = temporaryFolder();
    disk = new NodeDisk(undefined, ({ message }) => stays.push(message));
    stays.length = 0;
  });

  /** A directory as a stream has it. */
  function filled(name: string): string {
    const path = join(root, name);
    mkdirSync(join(path, 'msgs'), { recursive: true });
    for (let block = 1; block <= 20; block++) writeFileSync(join(path, `msgs/${block}.blk`), 'x');
    return path;
  }

  test('has lost its name at once, and is gone when the disk ends', async () => {
    const path = filled('S');
    disk.discard(path, join(root, '.removed'));
    assert.equal(existsSync(path), false);
    await disk.stop();
    assert.deepEqual([readdirSync(root), stays], [[], []]);
  });

  test('may have the name of something that is being removed still', async () => {
    for (let round = 0; round < 5; round++) disk.discard(filled('S'), join(root, '.removed'));
    await disk.stop();
    assert.deepEqual([readdirSync(root), stays], [[], []]);
  });

  test('comes to what is being removed, however far that is', async () => {
    for (let round = 0; round < 50; round++) {
      for (const name of ['1.blk', '2.blk']) {
        writeFileSync(join(root, name), 'x');
        disk.discard(join(root, name), join(root, '__msgs__'));
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await disk.stop();
    assert.deepEqual([readdirSync(root), stays], [[], []]);
  });

  test('goes at once where it can be moved nowhere', async () => {
    writeFileSync(join(root, 'a file'), '');
    disk.discard(filled('S'), join(root, 'a file/.removed'));
    assert.deepEqual(readdirSync(root), ['a file']);
    await disk.stop();
  });

  test('may be nothing', async () => {
    disk.discard(join(root, 'nothing'), join(root, '.removed'));
    disk.discardTree(join(root, 'nothing'));
    assert.deepEqual(readdirSync(root), []);
    await disk.stop();
    assert.deepEqual(stays, []);
  });

  test('is a tree that an earlier run has left', async () => {
    disk.discardTree(filled('.removed'));
    await disk.stop();
    assert.deepEqual([readdirSync(root), stays], [[], []]);
  });
});
