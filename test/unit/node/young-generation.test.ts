// The memory for new objects does not grow in the program, and grows as V8 has it elsewhere.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const skip = !process.versions.v8.startsWith('11.');
/** What a space that does not grow has at most, with what V8 counts to it; one that grows has two to four times as much. */
const SMALL_MIB = 8;
const file = fileURLToPath(new URL('../../../ts/node/young-generation.ts', import.meta.url));

/** MiB of the young generation behind 64 MiB of objects that stay. */
function youngMiB(call: string): number {
  const source = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepYoungGenerationSmall } from ${JSON.stringify(file)};
    ${call}
    const stay = [];
    for (let i = 0; i < 1 << 20; i++) stay.push({ i, more: [i] });
    console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').physical_space_size / 2 ** 20);`;
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], { encoding: 'utf8' });
  return Number(stdout);
}

test('new objects have as much memory as at the start, however many stay', { skip }, () => {
  const mib = youngMiB('keepYoungGenerationSmall();');
  assert.ok(mib > 0 && mib <= SMALL_MIB, `${mib} MiB`);
});

test('another V8 than that of Node 20 is left alone', { skip }, () => {
  const mib = youngMiB("keepYoungGenerationSmall('12.4.254');");
  assert.ok(mib > SMALL_MIB, `${mib} MiB`);
});

test('the code that is kept is of a V8 with its own flags', { skip }, () => {
  const { stdout } = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  assert.match(stdout, /--semi-space-growth-factor [^\n]*\n\s+type: \w+ {2}default: --semi-space-growth-factor=2\n/);
});
