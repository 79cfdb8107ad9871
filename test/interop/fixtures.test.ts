/**
 * Directories that nats-server left, compressed and encrypted ones among them: Slipstream writes into every stream, nats-server opens all of it
 * and writes too, and Slipstream finds that again.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { findPeer } from '../support/peers.ts';
import { ServerProcess } from '../support/server.ts';
import type { ServerKind } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const fixtures = join(import.meta.dirname, '../fixtures/store');

interface Fixture {
  readonly key: string | null;
  readonly cipher: string | null;
  readonly accounts: { readonly $G: Readonly<Record<string, { readonly config: { readonly subjects: readonly string[] } }>> };
}

type Seen = Record<string, unknown>;

async function look(manager: JetStreamManager, name: string): Promise<Seen> {
  const { state } = await manager.streams.info(name, { deleted_details: true });
  const messages: Record<number, string> = {};
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const found = await manager.streams.getMessage(name, { seq });
    if (found !== null) messages[seq] = `${found.subject} ${JSON.stringify([...(found.header ?? [])])} ${found.string()}`;
  }
  const consumers: Record<string, unknown> = {};
  for await (const { name: consumer, delivered, ack_floor, num_ack_pending, num_redelivered } of manager.consumers.list(name)) {
    const floor = { consumer: ack_floor.consumer_seq, stream: ack_floor.stream_seq };
    consumers[consumer] = { delivered: delivered.stream_seq, floor, num_ack_pending, num_redelivered };
  }
  const { messages: count, bytes, first_seq, last_seq, num_subjects, deleted } = state;
  return { state: { count, bytes, first_seq, last_seq, num_subjects, deleted }, messages, consumers };
}

async function lookAll(manager: JetStreamManager, names: readonly string[]): Promise<Seen> {
  const seen: Seen = {};
  for (const name of names) seen[name] = await look(manager, name);
  return seen;
}

/** What a server sees in the folder, and what it leaves after it has written a little into each stream. */
async function visit(
  kind: ServerKind,
  folder: string,
  fixture: Fixture,
): Promise<{ readonly before: Seen; readonly after: Seen }> {
  const { key, cipher, accounts } = fixture;
  const names = Object.keys(accounts.$G);
  const encryption = key === null ? '' : `, key: ${JSON.stringify(key)}, cipher: ${cipher ?? 'chacha'}`;
  const config = `jetstream { store_dir: ${JSON.stringify(folder)} ${encryption} }`;
  const server = await ServerProcess.start(kind, { folder, config });
  try {
    const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
    const manager = await jetstreamManager(connection);
    const before = await lookAll(manager, names);
    for (const name of names) {
      const subject = accounts.$G[name]?.config.subjects[0]?.replaceAll('*', 'more').replace('>', 'more') ?? name;
      for (let n = 0; n < 5; n++) await jetstream(connection).publish(subject, `${kind} ${n}`.repeat(20));
      const { state } = await manager.streams.info(name);
      await manager.streams.deleteMessage(name, state.last_seq - 2, true);
    }
    const after = await lookAll(manager, names);
    await connection.close();
    return { before, after };
  } finally {
    await server.stop();
  }
}

for (const name of ['plain', 's2', 'chacha', 'aes', 'torn', 'ttl']) {
  const options = { skip: findPeer('nats-server') === undefined };
  test(`what nats-server left (${name}) goes on under both servers`, options, async () => {
    const folder = temporaryFolder();
    execFileSync('tar', ['xzf', join(fixtures, `${name}.tar.gz`), '-C', folder]);
    const fixture = JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8')) as Fixture;
    const ours = await visit('slipstream', folder, fixture);
    const theirs = await visit('nats-server', folder, fixture);
    assert.deepEqual(theirs.before, ours.after, 'nats-server sees what Slipstream left');
    const again = await visit('slipstream', folder, fixture);
    assert.deepEqual(again.before, theirs.after, 'Slipstream sees what nats-server left');
  });
}
