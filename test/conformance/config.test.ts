// Sample configurations on the real nats-server: `nats-server -t` accepts what we accept and refuses what we refuse or warn about, and
// where it accepts, the digest of the file is the same.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../ts/core/config/read-config.ts';
import { configSamples } from '../support/config-samples.ts';
import type { ConfigSample } from '../support/config-samples.ts';
import { findPeer } from '../support/peers.ts';
import { temporaryFolder } from '../support/temporary.ts';

const ports = {
  env: {},
  readFile: (path: string) => readFileSync(path, 'utf8'),
  sha256: (text: string) => createHash('sha256').update(text).digest('hex'),
};

/** What `-t` printed, with its exit code in front. */
function natsServerSays(program: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, ['-t', '-c', path], { env: {} }, (error, stdout, stderr) =>
      resolve(`${error?.code ?? 0} ${stdout}${stderr}`),
    );
  });
}

function check(sample: ConfigSample, path: string, said: string): void {
  const accepted = said.startsWith('0 ');
  const shown = `${sample.text}\nour verdict: ${sample.verdict} ${sample.problem}\nnats-server: ${said}`;
  assert.equal(accepted, sample.acceptedByNatsServer ?? accepted, shown);
  if (!accepted || sample.verdict === 'reject') return;
  assert.equal(readConfig(path, ports).options.configDigest, /\((sha256:\w+)\)/.exec(said)?.[1], shown);
}

const program = findPeer('nats-server');

test('samples are accepted and refused as by nats-server', { skip: program === undefined && 'no nats-server here' }, async () => {
  const directory = temporaryFolder();
  for (const name of ['store', 'resolver']) mkdirSync(join(directory, name));
  const samples = configSamples(directory);
  const wide = 4;
  for (let at = 0; at < samples.length; at += wide) {
    const some = samples.slice(at, at + wide);
    const paths = some.map((sample, index) => {
      const path = join(directory, `${at + index}.conf`);
      writeFileSync(path, sample.text);
      return path;
    });
    const said = await Promise.all(paths.map((path) => natsServerSays(program ?? '', path)));
    some.forEach((sample, index) => check(sample, paths[index] ?? '', said[index] ?? ''));
  }
});
