#!/usr/bin/env node
// Runs the tests: every test/**/*.test.ts, or those whose path contains one of the given words. Options go on to Node's test runner.
//
//   node scripts/test.mjs [words…] [--test-name-pattern=… …]

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { filesUnder } from './files.mjs';
import { root } from './root.mjs';

const fileTimeoutMs = 300_000;

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const passedOn = process.argv.slice(2).filter((word) => word.startsWith('--'));
const files = filesUnder('test', /\.test\.ts$/).filter((path) => words.length === 0 || words.some((word) => path.includes(word)));

if (files.length === 0) {
  console.error(`test: no test file matches ${words.join(', ') || 'test/**/*.test.ts'}`);
  process.exit(1);
}

const ownReporter = passedOn.some((word) => word.startsWith('--test-reporter='));
const reporter = ownReporter ? [] : ['--test-reporter=./scripts/test-reporter.mjs', '--test-reporter-destination=stdout'];
const runner = ['--import', 'tsx', '--test', `--test-concurrency=${availableParallelism()}`, `--test-timeout=${fileTimeoutMs}`];
// The runner leads a process group of its own, so that servers which a failed or timed out test left behind end with it.
const child = spawn(process.execPath, [...runner, ...reporter, ...passedOn, ...files], {
  cwd: root,
  stdio: 'inherit',
  detached: true,
});

/** @param {NodeJS.Signals} signal */
function signalGroup(signal) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => signalGroup(signal));
child.on('close', (code) => {
  signalGroup('SIGKILL');
  process.exitCode = code ?? 1;
});
