/** One server a store directory: who has it is named, and what a killed server leaves blocks nobody. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryLock } from '../../../ts/node/directory-lock.ts';
import { ServerProcess } from '../../support/server.ts';
import { temporaryFolder } from '../../support/temporary.ts';

test('a directory is taken once, and again when it was released', () => {
  const folder = temporaryFolder();
  const lock = DirectoryLock.take(folder);
  assert.throws(() => DirectoryLock.take(folder), /is in use by another server of this process/);
  assert.deepEqual(readdirSync(folder), ['slipstream-1.lock'], 'who was refused leaves nothing');
  lock.release();
  DirectoryLock.take(folder).release();
  assert.deepEqual(readdirSync(folder), []);
});

test('locks of the dead go, also when their process id is in use again or they are damaged', () => {
  const folder = temporaryFolder();
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const leave = (number: number, text: string): void => writeFileSync(join(folder, `slipstream-${number}.lock`), text);
  leave(1, JSON.stringify({ pid, host: hostname(), started: '1' }));
  leave(2, JSON.stringify({ pid: process.pid, host: hostname(), started: '1' }));
  leave(3, '{"pid":');
  const lock = DirectoryLock.take(folder);
  assert.deepEqual(readdirSync(folder), ['slipstream-4.lock']);
  lock.release();
});

test('a second server does not start on a directory in use; after kill -9 the next one does', async () => {
  const folder = temporaryFolder();
  const args = ['-js', '-sd', folder];
  const first = await ServerProcess.start('slipstream', { folder, args });
  await assert.rejects(
    ServerProcess.start('slipstream', { folder: temporaryFolder(), args }),
    /Can't start JetStream: .*jetstream is in use by a server with process id [0-9]+/,
  );
  await first.kill();
  const next = await ServerProcess.start('slipstream', { folder, args });
  await next.stop();
  assert.ok(!readdirSync(join(folder, 'jetstream')).some((name) => name.endsWith('.lock')));
});
