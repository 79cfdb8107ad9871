/**
 * Replays every transcript of test/transcripts on Slipstream, once as written and once cut at every byte, and on nats-server when it is
 * installed, so that a recording that does not hold on the real server is found here too. TRANSCRIPTS=name,name chooses some.
 * Dialogues with the default configuration share one Slipstream, one after the other, each ending its connections before the next;
 * the others have a server of their own. nats-server, where a connection's end and the next one's begin may overlap, is new for each.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { repositoryRoot, skipWithout } from '../support/peers.ts';
import { ServerProcess, type ServerKind } from '../support/server.ts';
import { everyByte, replay, uncut, type Cut } from '../support/transcript-player.ts';
import { parseTranscript, type Transcript } from '../support/transcript.ts';

const folder = join(repositoryRoot, 'test', 'transcripts');
const chosen = process.env['TRANSCRIPTS']?.split(',');

const transcripts = readdirSync(folder)
  .filter((file) => file.endsWith('.txt'))
  .map((file) => ({ name: file.slice(0, -'.txt'.length), transcript: parseTranscript(readFileSync(join(folder, file), 'utf8')) }))
  .filter(({ name }) => chosen === undefined || chosen.includes(name));

/** True when a dialogue changes the server it runs on. */
function changesServer({ statements }: Transcript): boolean {
  return statements.some(({ kind }) => kind === 'signal' || kind === 'reload');
}

function isDefault(transcript: Transcript): boolean {
  return transcript.config === undefined && transcript.args.length === 0 && !changesServer(transcript);
}

function startFor(kind: ServerKind, { config, args }: Transcript): Promise<ServerProcess> {
  return ServerProcess.start(kind, config === undefined ? { args } : { config, args });
}

async function playAlone(kind: ServerKind, transcript: Transcript, cuts: readonly Cut[]): Promise<void> {
  const server = await startFor(kind, transcript);
  try {
    for (const cut of cuts) await replay(transcript, server, cut);
  } finally {
    await server.kill();
  }
}

describe('transcripts on one slipstream', () => {
  let server: ServerProcess;
  before(async () => {
    server = await ServerProcess.start('slipstream');
  });
  after(() => server.kill());
  for (const { name, transcript } of transcripts.filter((entry) => isDefault(entry.transcript))) {
    test(`${name}: ${transcript.title}`, async () => {
      await replay(transcript, server, uncut);
      await replay(transcript, server, everyByte);
    });
  }
});

describe('transcripts on a slipstream of their own', { concurrency: 2 }, () => {
  for (const { name, transcript } of transcripts.filter((entry) => !isDefault(entry.transcript))) {
    test(`${name}: ${transcript.title}`, async () => {
      if (!changesServer(transcript)) return playAlone('slipstream', transcript, [uncut, everyByte]);
      await playAlone('slipstream', transcript, [uncut]);
      return playAlone('slipstream', transcript, [everyByte]);
    });
  }
});

describe('transcripts on nats-server', { skip: skipWithout('nats-server'), concurrency: 2 }, () => {
  for (const { name, transcript } of transcripts)
    test(`${name}: ${transcript.title}`, () => playAlone('nats-server', transcript, [uncut]));
});
