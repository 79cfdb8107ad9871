/**
 * Replays a transcript on a running server and fails at the first difference, naming the transcript's line, what was wanted and what came.
 * Client bytes are sent as written, or cut into pieces at the places that `cut` chooses, which must change nothing.
 */
import assert from 'node:assert/strict';
import type { ServerProcess } from './server.ts';
import type { Statement, Transcript } from './transcript.ts';
import { WireClient, type InfoFields } from './wire.ts';

/** Where a piece of client bytes is cut: offsets inside it, ascending. */
export type Cut = (length: number) => readonly number[];

export const uncut: Cut = () => [];

export const everyByte: Cut = (length) =>
  length > 600 ? [1, 2, 3, length >> 1, length - 2, length - 1] : Array.from({ length }, (_, index) => index);

export interface Play {
  readonly server: ServerProcess;
  readonly cut: Cut;
  readonly clients: Map<string, WireClient>;
  current: string;
  /** What named groups of `S~` patterns matched, for `{{name}}` in what clients send. */
  readonly kept: Map<string, string>;
}

export function clientOf(play: Play, name: string): WireClient {
  const client = play.clients.get(name);
  if (client === undefined) throw new Error(`no connection is called ${name}`);
  return client;
}

/** Compares INFO by the fields the transcript names: null means absent, "~regex" is a pattern. */
function checkInfo(info: InfoFields, wanted: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(wanted)) {
    const actual = info[key];
    if (value === null) assert.equal(actual, undefined, `INFO has ${key}: ${JSON.stringify(actual)}, should have none`);
    else if (typeof value === 'string' && value.startsWith('~'))
      assert.match(String(actual), new RegExp(`^(?:${value.slice(1)})$`), `INFO ${key}`);
    else assert.deepEqual(actual, value, `INFO ${key}`);
  }
}

/** Puts what was kept where a client's bytes name it. */
function filled(bytes: Buffer, kept: ReadonlyMap<string, string>): Buffer {
  if (kept.size === 0) return bytes;
  const text = bytes.toString('latin1').replace(/\{\{(\w+)\}\}/g, (whole, name: string) => kept.get(name) ?? whole);
  return Buffer.from(text, 'latin1');
}

async function expectMatch(play: Play, client: WireClient, pattern: RegExp): Promise<void> {
  const line = await client.line(String(pattern));
  assert.match(line, pattern);
  for (const [name, text] of Object.entries(pattern.exec(line)?.groups ?? {})) play.kept.set(name, text);
}

async function expectUnordered(client: WireClient, texts: readonly string[]): Promise<void> {
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  const received = await client.bytes(length);
  const left = [...texts];
  let rest = received;
  while (left.length > 0) {
    const index = left.findIndex((text) => rest.startsWith(text));
    assert.notEqual(index, -1, `wanted in any order ${JSON.stringify(texts)}, got ${JSON.stringify(received)}`);
    rest = rest.slice(left[index]?.length);
    left.splice(index, 1);
  }
}

async function expectSpread(play: Play, names: readonly string[], count: number, text: string): Promise<void> {
  let total = 0;
  for (const name of names) {
    const got = await clientOf(play, name).sync();
    const copies = got.length / text.length;
    assert.equal(got, text.repeat(Math.ceil(copies)), `${name} got other bytes than copies of ${JSON.stringify(text)}`);
    assert.ok(names.length === 1 || count < 20 || copies > 0, `${name} got none of the ${count} messages`);
    total += copies;
  }
  assert.equal(total, count, `copies over ${names.join(', ')}`);
}

async function reload(play: Play, config: string): Promise<void> {
  const before = (play.server.log.match(/Reloaded server configuration/g) ?? []).length;
  play.server.writeConfig(config);
  play.server.signal('SIGHUP');
  await play.server.waitForLog(new RegExp(`(?:Reloaded server configuration[^]*){${before + 1}}`));
}

/** One statement. Exported for the recorder, which plays only some of them. */
export async function step(play: Play, statement: Statement): Promise<void> {
  if (statement.kind === 'open') {
    const client = await WireClient.connect(play.server.port);
    play.clients.set(statement.name, client);
    play.current = statement.name;
    if (!statement.showInfo) await client.info();
    return;
  }
  if (statement.kind === 'signal') return play.server.signal(statement.name);
  if (statement.kind === 'reload') return reload(play, statement.config);
  if (statement.kind === 'spread') return expectSpread(play, statement.names, statement.count, statement.text);
  if (statement.kind === 'on') {
    clientOf(play, statement.name);
    play.current = statement.name;
    return;
  }
  const client = clientOf(play, play.current);
  switch (statement.kind) {
    case 'send': {
      const bytes = filled(statement.bytes, play.kept);
      return client.writeCut(bytes, play.cut(bytes.length));
    }
    case 'close':
      return client.close();
    case 'closed':
      return assert.equal(await client.rest(), '', 'bytes before the end of the connection');
    case 'sync':
      return assert.equal(await client.sync(), '', 'bytes before PONG');
    case 'expect':
      return assert.equal(await client.line(JSON.stringify(statement.text)), statement.text);
    case 'match':
      return expectMatch(play, client, statement.pattern);
    case 'info':
      return checkInfo(await client.info(), statement.fields);
    case 'unordered':
      return expectUnordered(client, statement.texts);
  }
}

export async function replay(transcript: Transcript, server: ServerProcess, cut: Cut = uncut): Promise<void> {
  const play: Play = { server, cut, clients: new Map(), current: '', kept: new Map() };
  try {
    for (const statement of transcript.statements) {
      try {
        await step(play, statement);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`line ${statement.line} (${statement.kind}, connection ${play.current}): ${reason}`, { cause: error });
      }
    }
  } finally {
    await Promise.all([...play.clients.values()].map((client) => client.close()));
  }
}
