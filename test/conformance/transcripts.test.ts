/**
 * Replays every transcript of test/transcripts on Slipstream, once as written and once cut at every byte, and on nats-server when it is
 * installed, so that a recording that does not hold on the real server is found here too. TRANSCRIPTS=name,name chooses some.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { repositoryRoot, skipWithout } from '../support/peers.ts';
import { ServerProcess, type ServerKind } from '../support/server.ts';
import { everyByte, replay, uncut, type Cut } from '../support/transcript-player.ts';
import { parseTranscript, type Transcript } from '../support/transcript.ts';

const folder = join(repositoryRoot, 'test', 'transcripts');
const chosen = process.env['TRANSCRIPTS']?.split(',');

const transcripts = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => name.slice(0, -'.txt'.length))
  .filter((name) => chosen === undefined || chosen.includes(name))
  .sort();

async function play(kind: ServerKind, transcript: Transcript, cuts: readonly Cut[]): Promise<void> {
  for (const cut of cuts) {
    const options = transcript.config === undefined ? {} : { config: transcript.config };
    const server = await ServerProcess.start(kind, { ...options, args: transcript.args });
    try {
      await replay(transcript, server, cut);
    } finally {
      await server.kill();
    }
  }
}

const runs: ReadonlyArray<readonly [kind: ServerKind, cuts: readonly Cut[], skip: string | false]> = [
  ['slipstream', [uncut, everyByte], false],
  ['nats-server', [uncut], skipWithout('nats-server')],
];

for (const [kind, cuts, skip] of runs) {
  describe(`transcripts on ${kind}`, { skip, concurrency: 2 }, () => {
    for (const name of transcripts) {
      const transcript = parseTranscript(readFileSync(join(folder, `${name}.txt`), 'utf8'));
      test(`${name}: ${transcript.title}`, () => play(kind, transcript, cuts));
    }
  });
}
