// Purges of what a filter matches, in steps, against the twin: whatever the stream holds, the same messages go.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FileStream } from '../../../../ts/engine/store/file-stream.ts';
import { FilteredPurge } from '../../../../ts/engine/store/filtered-purge.ts';
import type { PurgeRequest, StreamStore } from '../../../../ts/engine/store/store.ts';
import { StreamKernel } from '../../../../ts/kernel/streams.ts';
import { effort, holdsInTime } from '../../../oracle/check.ts';
import { PlainStream } from '../../../oracle/stream.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';

const token = fc.constantFrom('a', 'b', 'c');
const subjects = fc.array(
  fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join('.')),
  { minLength: 1, maxLength: 40 },
);
const filter = fc.constantFrom('a', 'a.b', 'a.*', '*', '*.b', '*.*', 'a.>', '*.*.>', 'c.c.c');
const request: fc.Arbitrary<PurgeRequest> = fc.oneof(
  fc.record({ filter }),
  fc.record({ filter, seq: fc.integer({ min: 1, max: 14_000 }) }),
  fc.record({ filter, keep: fc.integer({ min: 1, max: 7_000 }) }),
);

/** A stream and its twin, with so many messages of which every n-th is deleted. */
function filled(
  server: TestStore,
  on: readonly string[],
  count: number,
  every: number,
): { stream: StreamStore; model: PlainStream } {
  const stream = server.store.create(server.options('S'), '{}');
  const model = new PlainStream(noLimits);
  server.turn(() => {
    for (let n = 0; n < count; n++) {
      const subject = on[(n * n) % on.length] ?? 'a';
      stream.append({ subject, payload: new Uint8Array(1) });
      model.append(subject, '', '\0');
    }
    for (let seq = every; seq <= count; seq += every) stream.delete(seq);
  });
  model.messages = model.messages.filter(({ seq }) => seq % every !== 0);
  return { stream, model };
}

test('in steps, the same messages go as at once', async () => {
  await holdsInTime(
    fc.asyncProperty(subjects, fc.nat(12_000), fc.integer({ min: 2, max: 50 }), request, async (on, count, every, asked) => {
      const root = temporaryFolder();
      const server = openTestStore(root);
      try {
        const { stream, model } = filled(server, on, count, every);
        await synced(stream);
        const purge = new FilteredPurge((stream as FileStream).handle, new StreamKernel(server.kernel), asked);
        let purged = 0;
        server.turn(() => {
          const deleted = (gone: number): boolean => {
            purged += gone;
            return true;
          };
          for (const _step of purge.steps(deleted)) stream.append({ subject: on[0] ?? 'a', payload: new Uint8Array(1) });
        });
        const published = stream.lastSeq - count;
        assert.equal(purged, model.purge(asked));
        for (let n = 0; n < published; n++) model.append(on[0] ?? 'a', '', '\0');
        const { messages, bytes, firstSeq, lastSeq, numSubjects, numDeleted } = stream.state;
        assert.deepEqual({ messages, bytes, firstSeq, lastSeq, numSubjects, numDeleted }, model.state());
        assert.deepEqual(stream.deleted(count), gaps(model));
      } finally {
        await server.stop();
        removeFolder(root);
      }
    }),
    effort(30),
  );
});

/** Sequences between the first and the last message that the twin has no message for. */
function gaps(model: PlainStream): number[] {
  const there = new Set(model.messages.map(({ seq }) => seq));
  return Array.from({ length: model.last - model.first + 1 }, (_, index) => model.first + index).filter((seq) => !there.has(seq));
}
