/**
 * Store directories that nats-server wrote, some of them damaged or left by kill -9, open with the content that it had itself.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { noLimits, openTestStore, subjectsOf } from '../../../support/store.ts';
import { checkStored, unpackFixture } from '../../../support/store-fixtures.ts';
import type { ExpectedStream } from '../../../support/store-fixtures.ts';
import type { TestStore } from '../../../support/store.ts';

/** Streams where our rule keeps more than nats-server: records behind damage in the middle of a block stay, tombstones among them. */
const keepsMore = new Set(['AMBER_FLIP_MIDDLE', 'YARROW_FLIP_MIDDLE_NO_INDEX']);

function open(server: TestStore, accountName: string, name: string, { config }: ExpectedStream): Promise<StreamStore> {
  const limits = {
    ...noLimits,
    maxMessages: config.max_msgs,
    maxBytes: config.max_bytes,
    maxMessagesPerSubject: config.max_msgs_per_subject,
  };
  return server.store.recover(server.options(name, { accountName, limits }));
}

function checkMessages(stream: StreamStore, expected: ExpectedStream, mayBeDeleted: boolean): void {
  for (const [seq, message] of Object.entries(expected.messages)) {
    if (message.unreadable !== undefined) continue;
    const found = stream.get(Number(seq));
    if (found === undefined && mayBeDeleted && stream.deleted(10_000).includes(Number(seq))) continue;
    assert.ok(found, `message ${seq} is there`);
    checkStored(seq, found, message);
  }
}

const names = ['plain', 'deletes', 'erase', 'kill9', 'kill9torn', 'torn', 's2', 'chacha', 'aes'];
for (const name of [...names, 'kv', 'obj', 'lifted', 'workqueue', 'accounts']) {
  describe(`a directory nats-server left (${name})`, () => {
    const { root, accounts, encryption } = unpackFixture(name);
    const streams = Object.entries(accounts).flatMap(([account, all]) =>
      Object.entries(all).map(([stream, expected]) => ({ account, stream, expected })),
    );
    for (const { account, stream: streamName, expected } of streams) {
      test(`${account} ${streamName} opens with what it had`, async () => {
        const server = openTestStore(root, undefined, 0, encryption === undefined ? {} : { encryption });
        try {
          const stream = await open(server, account, streamName, expected);
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
            Object.fromEntries(subjectsOf(stream, '>')),
            Object.fromEntries(Object.entries(expected.subjects).sort()),
          );
        } finally {
          await server.stop();
        }
      });
    }
  });
}
