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
const child = spawn(process.execPath, [...runner, ...reporter, ...passedOn, ...files], { cwd: root, stdio: 'inherit' });

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal));
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
