/**
 * A power failure at any moment: whatever was promised before it is there afterwards, and nothing that was promised to be gone comes back.
 * The disk keeps exactly what was synced.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { StoreLimits, StreamStore } from '../../../../ts/engine/store/store.ts';
import { effort, holdsInTime } from '../../../oracle/check.ts';
import { noLimits, openTestStore } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';

type Step =
  | { readonly is: 'append'; readonly length: number }
  | { readonly is: 'delete'; readonly back: number; readonly erase: boolean }
  | { readonly is: 'purge'; readonly keep: number }
  | { readonly is: 'sync' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ is: fc.constant('append' as const), length: fc.oneof(fc.nat(200), fc.constant(12_000)) }),
  },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('delete' as const), back: fc.nat(20), erase: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('purge' as const), keep: fc.constantFrom(0, 0, 3) }) },
  { weight: 6, arbitrary: fc.constant<Step>({ is: 'sync' }) },
);

/** What was promised so far: which sequences hold what, and which are gone. */
class Promises {
  readonly stored = new Map<number, string>();
  readonly gone = new Set<number>();
  /** Sequences that a delete under way, or a limit, may or may not have taken. */
  readonly doubtful = new Set<number>();

  removed(seqs: readonly number[]): void {
    for (const seq of seqs) {
      this.gone.add(seq);
      this.stored.delete(seq);
    }
  }
}

const encoder = new TextEncoder();

function act(todo: Step, stream: StreamStore, live: Map<number, string>, promises: Promises, last: { seq: number }): void {
  if (todo.is === 'append') {
    const payload = `${last.seq + 1}:${'p'.repeat(todo.length)}`;
    const seq = stream.append({ subject: `a.${last.seq % 5}`, payload: encoder.encode(payload) });
    last.seq = seq;
    live.set(seq, payload);
    stream.whenSynced(() => {
      if (!promises.gone.has(seq)) promises.stored.set(seq, payload);
    });
    return;
  }
  const before = [...live.keys()];
  if (todo.is === 'delete') {
    if (stream.delete(last.seq - todo.back, todo.erase)) live.delete(last.seq - todo.back);
  } else if (todo.is === 'purge') {
    stream.purge(todo.keep === 0 ? {} : { keep: todo.keep });
    for (const seq of todo.keep === 0 ? before : before.slice(0, -todo.keep)) live.delete(seq);
  }
  const taken = before.filter((seq) => !live.has(seq));
  for (const seq of taken) promises.doubtful.add(seq);
  stream.whenSynced(() => promises.removed(taken));
}

/** Messages the limit took need not be there, and must not be taken for deleted. */
function noteEvicted(stream: StreamStore, live: Map<number, string>, promises: Promises): void {
  const { firstSeq } = stream.state;
  for (const seq of [...live.keys()]) {
    if (seq >= firstSeq) break;
    promises.doubtful.add(seq);
    live.delete(seq);
  }
}

async function check(folder: string, limits: StoreLimits, promises: Promises): Promise<void> {
  const after = openTestStore(join(folder, 'js'));
  const stream = await after.store.recover(after.options('S', { limits }));
  try {
    for (const [seq, payload] of promises.stored) {
      const found = stream.get(seq);
      if (found === undefined && promises.doubtful.has(seq)) continue;
      assert.ok(found, `message ${seq} was promised and is not there`);
      assert.equal(Buffer.from(found.payload).toString(), payload);
    }
    for (const seq of promises.gone) assert.equal(stream.get(seq), undefined, `message ${seq} was promised to be gone`);
    const highest = Math.max(0, ...promises.stored.keys(), ...promises.gone);
    assert.ok(stream.state.lastSeq >= highest, 'no sequence is given out twice');
  } finally {
    await after.stop();
  }
}

test('a power failure takes nothing that was promised', async () => {
  await holdsInTime(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, small) => {
      const folder = temporaryFolder();
      const disk = new VolatileDisk();
      disk.makeDirectory('/js');
      disk.syncDirectory('/');
      const server = openTestStore('/js', disk);
      // Small limits make small blocks, of which there are many.
      const limits = { ...noLimits, maxBytes: small ? 120_000 : -1 };
      const stream = server.store.create(server.options('S', { limits }), '{}');
      disk.finishSync();
      const promises = new Promises();
      const live = new Map<number, string>();
      const last = { seq: 0 };
      for (const todo of steps) {
        if (todo.is === 'sync') disk.finishSync();
        else server.turn(() => act(todo, stream, live, promises, last));
        noteEvicted(stream, live, promises);
      }
      disk.leaveIn(folder);
      await check(folder, limits, promises);
      removeFolder(folder);
    }),
    effort(120),
  );
});
