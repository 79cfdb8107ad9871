#!/usr/bin/env node
// Builds the programs that tests and benchmarks compare with, nats-server and the nats CLI, from the Go module proxy into build/peers/. Without Go, or without
// the proxy, it says so and succeeds: what needs a peer skips itself. A peer already found in PATH or Go's own folder in the wanted version is not built again.
//
//   node scripts/peers.mjs [--json]

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './root.mjs';

/** Program, the module it is built from, its version. */
const peers = [
  { program: 'nats-server', module: 'github.com/nats-io/nats-server/v2', version: 'v2.14.5' },
  { program: 'nats', module: 'github.com/nats-io/natscli/nats', version: 'v0.4.0' },
];

const folder = join(root, 'build/peers');
const buildTimeoutMs = 15 * 60_000;

/** @param {string} path */
const versionOf = (path) => spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 }).stdout ?? '';

/**
 * Where a program stands in the wanted version, if anywhere.
 * @param {{ program: string, version: string }} peer
 */
function find({ program, version }) {
  const folders = [folder, ...(process.env.PATH ?? '').split(delimiter), join(homedir(), 'go/bin')];
  const paths = folders.filter((name) => name !== '').map((name) => join(name, program));
  return paths.find((path) => existsSync(path) && versionOf(path).includes(version.slice(1)));
}

/**
 * Builds one program. Gives its path, or undefined with the reason printed.
 * @param {{ program: string, module: string, version: string }} peer
 */
function install({ program, module, version }) {
  if (spawnSync('go', ['version']).status !== 0) {
    console.error(`peers: ${program} is not here and neither is Go to build it: tests and benchmarks against it skip themselves`);
    return undefined;
  }
  console.error(`peers: building ${program} ${version}`);
  mkdirSync(folder, { recursive: true });
  const env = { ...process.env, GOBIN: folder, GOFLAGS: '-buildvcs=false' };
  const result = spawnSync('go', ['install', `${module}@${version}`], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: buildTimeoutMs,
  });
  if (result.status === 0) return join(folder, program);
  console.error(`peers: ${program} could not be built: tests and benchmarks against it skip themselves`);
  return undefined;
}

const found = Object.fromEntries(peers.map((peer) => [peer.program, find(peer) ?? install(peer)]));
if (process.argv.includes('--json')) console.log(JSON.stringify(found, null, 2));
else for (const [program, path] of Object.entries(found)) console.log(`${program}: ${path ?? 'not here'}`);
