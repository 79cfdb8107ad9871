// The launcher starts the program from the code that the build kept of it, and starts it all the same where there is none or another's.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Script } from 'node:vm';
import { root } from '../../../scripts/root.mjs';
import { temporaryFolder } from '../../support/temporary.ts';

const codeName = `program.${process.version}-${process.arch}.code`;
const dist = (file: string) => join(root, 'dist', file);

test('the build keeps code that V8 takes', () => {
  const script = new Script(readFileSync(dist('program.js'), 'latin1'), { cachedData: readFileSync(dist(codeName)) });
  assert.equal(script.cachedDataRejected, false);
});

test('the program is ASCII, which is read without decoding', () => {
  const text = readFileSync(dist('program.js'), 'latin1');
  assert.equal(/[^\0-\x7f]/.exec(text)?.[0], undefined);
});

for (const [what, code] of [
  ['no kept code', undefined],
  ['kept code that is none', 'not code'],
] as const)
  test(`with ${what} the program is compiled as any other`, () => {
    const folder = temporaryFolder();
    for (const file of ['main.js', 'program.js']) copyFileSync(dist(file), join(folder, file));
    if (code !== undefined) writeFileSync(join(folder, codeName), code);
    assert.equal(existsSync(join(folder, codeName)), code !== undefined);
    const { status, stdout } = spawnSync(process.execPath, [join(folder, 'main.js'), '--version'], { encoding: 'utf8' });
    assert.deepEqual({ status, stdout }, { status: 0, stdout: 'nats-server: v2.14.5\n' });
  });
