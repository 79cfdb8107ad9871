/**
 * One store directory, two servers in turn: each finds what the other wrote and goes on where it stopped. Only Slipstream is also killed:
 * nats-server itself forgets by kill -9 which messages its limits had removed when later deletes made room for them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jetstream, jetstreamManager, StoreCompression } from '@nats-io/jetstream';
import type { JetStreamManager } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import { findPeer } from '../support/peers.ts';
import { ServerProcess } from '../support/server.ts';
import type { ServerKind } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const subjects = ['both.a', 'both.b', 'both.c.d'];

interface Seen {
  readonly state: Record<string, unknown>;
  readonly messages: Record<number, string>;
}

/** Writes some messages, deletes and purges a few. */
async function write(manager: JetStreamManager, publish: (n: number) => Promise<unknown>, from: number): Promise<void> {
  for (let n = from; n < from + 60; n++) await publish(n);
  const { state } = await manager.streams.info('BOTH');
  await manager.streams.deleteMessage('BOTH', state.last_seq - 10, false);
  await manager.streams.deleteMessage('BOTH', state.last_seq, true);
  await manager.streams.deleteMessage('BOTH', state.last_seq - 4, true);
  await manager.streams.purge('BOTH', { filter: 'both.b', keep: 5 });
}

/** Everything a client can see of the stream. */
async function look(manager: JetStreamManager): Promise<Seen> {
  const { state } = await manager.streams.info('BOTH', { deleted_details: true, subjects_filter: '>' });
  const messages: Record<number, string> = {};
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const found = await manager.streams.getMessage('BOTH', { seq });
    if (found !== null) messages[seq] = `${found.subject} ${found.header?.get('N') ?? ''} ${found.string()}`;
  }
  const { messages: count, bytes, first_seq, first_ts, last_seq, last_ts, num_subjects, deleted, subjects: counts } = state;
  return { state: { count, bytes, first_seq, first_ts, last_seq, last_ts, num_subjects, deleted, counts }, messages };
}

/** Lets a server work in the folder: what it sees first, and what it leaves behind. */
async function visit(
  kind: ServerKind,
  folder: string,
  { config, compression, maxBytes }: Form,
  from: number,
  end: 'stop' | 'kill',
): Promise<{ before: Seen; after: Seen }> {
  const server = await ServerProcess.start(kind, {
    folder,
    config: `jetstream { store_dir: ${JSON.stringify(folder)} ${config} }`,
  });
  try {
    const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
    const manager = await jetstreamManager(connection);
    if (from === 0) await manager.streams.add({ name: 'BOTH', subjects: ['both.>'], max_bytes: maxBytes, compression });
    const before = await look(manager);
    const js = jetstream(connection);
    const publish = (n: number): Promise<unknown> => {
      const subject = subjects[n % subjects.length] ?? '';
      const header = headers();
      header.set('N', String(n));
      return js.publish(subject, `${n} `.repeat(n % 40), n % 4 === 0 ? { headers: header } : {});
    };
    await write(manager, publish, from);
    const after = await look(manager);
    await connection.close();
    return { before, after };
  } finally {
    await (end === 'stop' ? server.stop() : server.kill());
  }
}

interface Form {
  /** Keys of the `jetstream` block. */
  readonly config: string;
  readonly compression: StoreCompression;
  /** Small: limits remove much. Large: there is a block that is full. */
  readonly maxBytes: number;
}

const forms: Readonly<Record<string, Form>> = {
  plain: { config: '', compression: StoreCompression.None, maxBytes: 12_000 },
  compressed: { config: '', compression: StoreCompression.S2, maxBytes: 60_000 },
  'encrypted with chacha': {
    config: ', key: "between the two", cipher: chacha',
    compression: StoreCompression.None,
    maxBytes: 12_000,
  },
  'encrypted with aes': { config: ', key: "between the two", cipher: aes', compression: StoreCompression.None, maxBytes: 12_000 },
  'compressed and encrypted': { config: ', key: "between the two"', compression: StoreCompression.S2, maxBytes: 60_000 },
};

for (const [name, form] of Object.entries(forms)) {
  const options = { skip: findPeer('nats-server') === undefined };
  test(`a stream goes to nats-server and back (${name})`, options, async () => {
    const folder = temporaryFolder();
    let left: Seen | undefined;
    let from = 0;
    for (const [kind, end] of [
      ['slipstream', 'kill'],
      ['nats-server', 'stop'],
      ['slipstream', 'stop'],
      ['nats-server', 'stop'],
      ['slipstream', 'kill'],
      ['nats-server', 'stop'],
    ] as const) {
      const { before, after } = await visit(kind, folder, form, from, end);
      if (left !== undefined) assert.deepEqual(before, left, `${kind} sees what the other left`);
      left = after;
      from += 60;
    }
  });
}
