/** What a store promised to those who publish and delete, to be compared with what is there after the power failed. */
import assert from 'node:assert/strict';
import type { StreamStore } from '../../ts/engine/store/store.ts';
import type { StoreStep } from './store-steps.ts';

/** What was promised so far: which sequences hold what, and which are gone. */
export class Promises {
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

  /** What a stream shows that was opened again is promised by that. Returns it. */
  shown(stream: StreamStore): Map<number, string> {
    const live = new Map<number, string>();
    const { firstSeq, lastSeq } = stream.state;
    for (let seq = firstSeq; seq <= lastSeq; seq++) {
      const found = stream.get(seq);
      if (found !== undefined) live.set(seq, Buffer.from(found.payload).toString());
    }
    this.removed([...this.stored.keys()].filter((seq) => !live.has(seq)));
    for (const [seq, payload] of live) this.stored.set(seq, payload);
    this.doubtful.clear();
    return live;
  }

  /** Whether a stream that was opened again keeps them. */
  check(stream: StreamStore): void {
    for (const [seq, payload] of this.stored) {
      const found = stream.get(seq);
      if (found === undefined && this.doubtful.has(seq)) continue;
      assert.ok(found, `message ${seq} of ${stream.name} was promised and is not there`);
      assert.equal(Buffer.from(found.payload).toString(), payload);
    }
    for (const seq of this.gone)
      assert.equal(stream.get(seq), undefined, `message ${seq} of ${stream.name} was promised to be gone`);
    const highest = Math.max(0, ...this.stored.keys(), ...this.gone);
    assert.ok(stream.state.lastSeq >= highest, 'no sequence is given out twice');
  }
}

const encoder = new TextEncoder();

export function act(
  todo: StoreStep,
  stream: StreamStore,
  live: Map<number, string>,
  promises: Promises,
  last: { seq: number },
): void {
  if (todo.is === 'append') {
    const payload = `${last.seq + 1}:${'p'.repeat(todo.length)}`;
    const seq = stream.append({ subject: `a.${last.seq % 5}`, payload: encoder.encode(payload) });
    last.seq = seq;
    live.set(seq, payload);
    stream.whenSynced((error) => {
      if (error === undefined && !promises.gone.has(seq)) promises.stored.set(seq, payload);
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
  stream.whenSynced((error) => {
    if (error === undefined) promises.removed(taken);
  });
}

/** Messages the limit took need not be there, and must not be taken for deleted. */
export function noteEvicted(stream: StreamStore, live: Map<number, string>, promises: Promises): void {
  const { firstSeq } = stream.state;
  for (const seq of [...live.keys()]) {
    if (seq >= firstSeq) break;
    promises.doubtful.add(seq);
    live.delete(seq);
  }
}
