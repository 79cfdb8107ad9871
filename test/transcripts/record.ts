/**
 * Records transcripts: plays the client side of each file on the real nats-server and rewrites the file with the `S:` lines that came.
 * `node --import tsx test/transcripts/record.ts FILE...`. What is kept from the file: everything but plain `S:` lines and `S(close)`.
 * A recording is a draft to be read: variable parts become `S~` patterns or `S|` groups by hand. Only here does anything wait for silence.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerProcess } from '../support/server.ts';
import { clientOf, step, uncut, type Play } from '../support/transcript-player.ts';
import { escapeText, parseTranscript, type Transcript } from '../support/transcript.ts';
import type { WireClient } from '../support/wire.ts';

const silenceMs = 70;

/** Fields of INFO that a dialogue may be about; the rest differs from run to run. */
const infoFields = [
  'auth_required',
  'tls_required',
  'tls_verify',
  'tls_available',
  'max_payload',
  'headers',
  'jetstream',
  'ldm',
  'connect_info',
  'remote_account',
];

function isRecorded(line: string): boolean {
  return (line.startsWith('S:') && !line.startsWith('S: INFO')) || line === 'S(close)';
}

function lineOf(text: string): string {
  if (text.startsWith('INFO {')) {
    const info = JSON.parse(text.slice(5)) as Record<string, unknown>;
    const kept = Object.fromEntries(infoFields.filter((name) => name in info).map((name) => [name, info[name]]));
    return `S: INFO ${JSON.stringify(kept)}`;
  }
  return text === '' ? 'S:' : `S: ${escapeText(text).replace(/ $/, '\\x20')}`;
}

async function heard(client: WireClient): Promise<string[]> {
  for (let seen = -1; seen !== client.pending.length; await delay(silenceMs)) seen = client.pending.length;
  const lines: string[] = [];
  while (client.pending.includes('\r\n')) lines.push(lineOf(await client.line()));
  if (client.pending !== '') throw new Error(`bytes without CRLF: ${JSON.stringify(client.pending)}`);
  if (client.ended) lines.push('S(close)');
  return lines;
}

async function record(path: string): Promise<void> {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !isRecorded(line));
  const transcript = parseTranscript(lines.join('\n'));
  const server = await ServerProcess.start('nats-server', serverOptions(transcript.config, transcript.args));
  try {
    await play(path, lines, transcript, server);
  } finally {
    await server.kill();
  }
}

async function play(path: string, lines: readonly string[], transcript: Transcript, server: ServerProcess): Promise<void> {
  const stage: Play = { server, cut: uncut, clients: new Map(), current: '', kept: new Map() };
  const output = new Map<number, string[]>();
  const told = new Set<string>();
  const listen = async (after: number): Promise<void> => {
    if (stage.current === '' || told.has(stage.current)) return;
    const said = await heard(clientOf(stage, stage.current));
    if (said.at(-1) === 'S(close)') told.add(stage.current);
    output.set(after, [...(output.get(after) ?? []), ...said]);
  };
  const statements = transcript.statements;
  for (const [index, statement] of statements.entries()) {
    if (statement.kind === 'close') told.add(stage.current);
    await step(stage, statement);
    const next = statements[index + 1]?.kind;
    const talking =
      statement.kind === 'send' || statement.kind === 'on' || statement.kind === 'reload' || statement.kind === 'signal';
    if (talking && next !== 'send' && next !== 'match' && next !== 'info' && next !== 'unordered' && next !== 'sync')
      await listen(statement.line);
  }
  for (const [name, client] of stage.clients)
    if (client.pending !== '') console.error(`${path}: unread on ${name}: ${JSON.stringify(client.pending)}`);
  for (const client of stage.clients.values()) client.destroy();
  const recorded = lines.flatMap((line, index) => [line, ...(output.get(index + 1) ?? [])]);
  writeFileSync(path, recorded.join('\n'));
}

function serverOptions(config: string | undefined, args: readonly string[]): { args: readonly string[]; config?: string } {
  return config === undefined ? { args } : { args, config };
}

for (const path of process.argv.slice(2)) {
  try {
    await record(path);
  } catch (error) {
    console.error(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
