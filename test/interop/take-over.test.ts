/**
 * Directories that nats-server wrote are opened here, written to, and opened by nats-server again: it has everything, and starts from the
 * index.db that was left for it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { EncryptionOptions } from '../../ts/engine/store/cipher/keyring.ts';
import { findPeer } from '../support/peers.ts';
import { ServerProcess } from '../support/server.ts';
import { checkStored, unpackFixture, type ExpectedStream } from '../support/store-fixtures.ts';
import { noLimits, openTestStore, synced } from '../support/store.ts';

const added = new TextEncoder().encode('written in between');

/** Whether a message more may be added: a full stream would lose its first one for it. */
function hasRoom({ config }: ExpectedStream): boolean {
  return config.max_msgs <= 0 && config.max_bytes <= 0 && config.max_msgs_per_subject <= 0;
}

function subjectOf({ config, subjects }: ExpectedStream): string {
  return Object.keys(subjects)[0] ?? (config['subjects'] as string[] | undefined)?.[0]?.replaceAll(/[*>]/g, 'x') ?? 'x';
}

function configFor(accounts: readonly string[], encryption: EncryptionOptions | undefined, folder: string): string {
  const users = accounts.map((name) => `"${name}": { jetstream: enabled, users: [{ user: "${name}", password: p }] }`);
  const key = encryption === undefined ? '' : `key: "${encryption.key}", cipher: ${encryption.cipher}`;
  const named = accounts.some((name) => name !== '$G') ? `accounts { ${users.join('\n')} }` : '';
  return `jetstream { store_dir: "${folder}", ${key} }\n${named}\n`;
}

for (const name of [
  'plain',
  'deletes',
  'erase',
  'kill9',
  'kill9torn',
  'torn',
  's2',
  'chacha',
  'aes',
  'kv',
  'obj',
  'lifted',
  'workqueue',
  'accounts',
]) {
  test(`nats-server takes ${name} back`, { skip: findPeer('nats-server') === undefined }, async () => {
    const { folder, root, accounts, encryption } = unpackFixture(name);
    const ours = openTestStore(root, undefined, 0, encryption === undefined ? {} : { encryption });
    const seen: { account: string; stream: string; expected: ExpectedStream; state: object; deleted: number[] }[] = [];
    for (const [account, streams] of Object.entries(accounts)) {
      for (const [stream, expected] of Object.entries(streams)) {
        const { max_msgs, max_bytes, max_msgs_per_subject } = expected.config;
        const limits = { ...noLimits, maxMessages: max_msgs, maxBytes: max_bytes, maxMessagesPerSubject: max_msgs_per_subject };
        const store = await ours.store.recover(ours.options(stream, { accountName: account, limits }));
        if (hasRoom(expected)) ours.turn(() => void store.append({ subject: subjectOf(expected), payload: added }));
        await synced(store);
        const { messages, bytes, firstSeq, lastSeq, numSubjects } = store.state;
        const state = { messages, bytes, first_seq: firstSeq, last_seq: lastSeq, num_subjects: numSubjects };
        seen.push({ account, stream, expected, state, deleted: store.deleted(10_000) });
      }
    }
    await ours.stop();
    const config = configFor(Object.keys(accounts), encryption, folder);
    const real = await ServerProcess.start('nats-server', { config });
    try {
      for (const { account, stream, expected, state, deleted } of seen) {
        const login = account === '$G' ? {} : { user: account, pass: 'p' };
        const connection = await connect({ servers: `127.0.0.1:${real.port}`, reconnect: false, ...login });
        const { streams } = await jetstreamManager(connection);
        const info = await streams.info(stream, { deleted_details: true });
        const { messages, bytes, first_seq, last_seq, num_subjects = 0 } = info.state;
        assert.deepEqual({ messages, bytes, first_seq, last_seq, num_subjects }, state, stream);
        assert.deepEqual(info.state.deleted ?? [], deleted);
        for (const [seq, message] of Object.entries(expected.messages)) {
          // Behind damage tombstones are kept too, where nats-server alone would have cut them off.
          if (message.unreadable !== undefined || deleted.includes(Number(seq))) continue;
          const found = await streams.getMessage(stream, { seq: Number(seq) });
          assert.ok(found, `${stream} ${seq}`);
          const headers = found.header === undefined ? '' : Buffer.from(message.hdr ?? '', 'base64').toString('latin1');
          checkStored(seq, { subject: found.subject, payload: found.data, headers: Buffer.from(headers, 'latin1') }, message);
        }
        await connection.close();
      }
      assert.doesNotMatch(real.log, /rebuild|state (outdated|checksum|magic|too short)|inconsistency|\[ERR\]/i);
    } finally {
      await real.stop();
    }
  });
}
