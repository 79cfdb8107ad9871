/** No secret of the command line is shown, however its flag was written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactedArguments } from '../../../../ts/core/cli/redact.ts';

const rows: readonly (readonly [argv: readonly string[], shown: readonly string[]])[] = [
  [
    ['-p', '4222', '--pass', 's3', '-js'],
    ['-p', '4222', '--pass', '[REDACTED]', '-js'],
  ],
  [
    ['-pass=s3', '--auth=t'],
    ['-pass=[REDACTED]', '--auth=[REDACTED]'],
  ],
  [
    ['--user', '--pass'],
    ['--user', '[REDACTED]'],
  ],
  [
    ['--routes', 'nats://u:p@h:1'],
    ['--routes', '[REDACTED]'],
  ],
  [
    ['--passage=1', 'pass', '-P', 'pid'],
    ['--passage=1', 'pass', '-P', 'pid'],
  ],
  [['--auth'], ['--auth']],
];

for (const [argv, shown] of rows) {
  test(`${argv.join(' ')} is shown without secrets`, () => {
    assert.deepEqual(redactedArguments(argv), shown);
  });
}
