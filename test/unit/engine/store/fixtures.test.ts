/**
 * Store directories that nats-server wrote, some of them damaged or left by kill -9, open with the content that it had itself.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { EncryptionOptions } from '../../../../ts/engine/store/cipher/keyring.ts';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import type { CipherName } from '../../../../ts/ports/ciphers.ts';
import { noLimits, openTestStore } from '../../../support/store.ts';
import type { TestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

interface ExpectedMessage {
  readonly subject: string;
  readonly ts: number;
  readonly hdr?: string;
  readonly size: number;
  readonly sha256: string;
  readonly unreadable?: string;
}

interface ExpectedStream {
  readonly config: Record<string, unknown> & { max_msgs: number; max_bytes: number; max_msgs_per_subject: number };
  readonly subjects: Record<string, number>;
  readonly state: {
    messages: number;
    bytes: number;
    first_seq: number;
    last_seq: number;
    deleted: number[];
    num_subjects: number;
  };
  readonly messages: Record<string, ExpectedMessage>;
}

const fixtures = join(import.meta.dirname, '../../../fixtures/store');

/** Streams where our rule keeps more than nats-server: records behind damage in the middle of a block stay, tombstones among them. */
const keepsMore = new Set(['AMBER_FLIP_MIDDLE', 'YARROW_FLIP_MIDDLE_NO_INDEX']);

interface Fixture {
  readonly root: string;
  readonly streams: Record<string, ExpectedStream>;
  readonly encryption?: EncryptionOptions;
}

function unpack(name: string): Fixture {
  const folder = temporaryFolder();
  execFileSync('tar', ['xzf', join(fixtures, `${name}.tar.gz`), '-C', folder]);
  const expected = JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8')) as {
    key?: string;
    cipher?: CipherName;
    accounts: { $G: Record<string, ExpectedStream> };
  };
  const { key, cipher } = expected;
  return {
    root: join(folder, 'jetstream'),
    streams: expected.accounts.$G,
    ...(key === undefined || key === null ? {} : { encryption: { key, prevKey: '', cipher: cipher ?? 'chacha' } }),
  };
}

function open(server: TestStore, name: string, { config }: ExpectedStream): Promise<StreamStore> {
  const limits = {
    ...noLimits,
    maxMessages: config.max_msgs,
    maxBytes: config.max_bytes,
    maxMessagesPerSubject: config.max_msgs_per_subject,
  };
  return server.store.recover(server.options(name, { limits }));
}

function checkMessages(stream: StreamStore, expected: ExpectedStream, mayBeDeleted: boolean): void {
  for (const [seq, message] of Object.entries(expected.messages)) {
    if (message.unreadable !== undefined) continue;
    const found = stream.get(Number(seq));
    if (found === undefined && mayBeDeleted && stream.deleted(10_000).includes(Number(seq))) continue;
    assert.ok(found, `message ${seq} is there`);
    assert.equal(found.subject, message.subject);
    assert.equal(found.payload.length, message.size);
    assert.equal(createHash('sha256').update(found.payload).digest('hex'), message.sha256, `payload of ${seq}`);
    assert.equal(Buffer.from(found.headers).toString('base64'), message.hdr ?? '', `headers of ${seq}`);
  }
}

for (const name of ['plain', 'deletes', 'kill9', 'kill9torn', 'torn', 's2', 'chacha', 'aes']) {
  describe(`a directory nats-server left (${name})`, () => {
    const { root, streams, encryption } = unpack(name);
    for (const [streamName, expected] of Object.entries(streams)) {
      test(`${streamName} opens with what it had`, async () => {
        const server = openTestStore(root, undefined, 0, encryption === undefined ? {} : { encryption });
        try {
          const stream = await open(server, streamName, expected);
          checkMessages(stream, expected, keepsMore.has(streamName));
          const { messages, bytes, firstSeq, lastSeq, numSubjects } = stream.state;
          const { state } = expected;
          if (keepsMore.has(streamName)) {
            assert.ok(lastSeq >= state.last_seq, 'no sequence is lost');
            return;
          }
          assert.deepEqual(
            { messages, bytes, firstSeq, lastSeq, numSubjects },
            {
              messages: state.messages,
              bytes: state.bytes,
              firstSeq: state.first_seq,
              lastSeq: state.last_seq,
              numSubjects: state.num_subjects,
            },
          );
          assert.deepEqual(stream.deleted(10_000), state.deleted);
          assert.deepEqual(
            Object.fromEntries([...stream.subjects('>')].sort()),
            Object.fromEntries(Object.entries(expected.subjects).sort()),
          );
        } finally {
          await server.stop();
        }
      });
    }
  });
}
