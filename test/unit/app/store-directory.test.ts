/** Where JetStream stores when nobody says where, and that a configured directory is that one or none. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { takeStoreDirectory } from '../../../ts/app/store-directory.ts';
import type { Log } from '../../../ts/ports/log.ts';
import { temporaryFolder } from '../../support/temporary.ts';

function warnings(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, log: { warn: (line: string) => void lines.push(line) } as unknown as Log };
}

/** The system's folder of temporary files is another one while the test runs. */
function temporaryRoot(context: TestContext): string {
  const before = process.env['TMPDIR'];
  const folder = temporaryFolder();
  process.env['TMPDIR'] = folder;
  context.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  return folder;
}

test('servers side by side without a directory store apart, and the first place is used again when it is free', (context) => {
  const root = temporaryRoot(context);
  const { log, lines } = warnings();
  const [first, second] = [takeStoreDirectory('', log), takeStoreDirectory('', log)];
  assert.deepEqual([first.path, second.path], [join(root, 'nats', 'jetstream'), join(root, 'nats', 'jetstream-2')]);
  assert.match(
    lines.at(-1) ?? '',
    /nats\/jetstream is in use by another server of this process: another temporary directory is used$/,
  );
  first.lock.release();
  const third = takeStoreDirectory('', log);
  assert.equal(third.path, first.path);
  for (const { lock } of [second, third]) lock.release();
});

test('a configured directory in use is refused', () => {
  const folder = temporaryFolder();
  const { log, lines } = warnings();
  const { lock } = takeStoreDirectory(folder, log);
  assert.throws(() => takeStoreDirectory(folder, log), /Can't start JetStream: .* is in use by .*; two servers must not write/);
  assert.deepEqual(lines, []);
  lock.release();
});
