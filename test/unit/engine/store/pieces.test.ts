// Long works on a stream: others have their turn in between, nothing is shown half done, publishes go on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pieces } from '../../../../ts/engine/store/pieces.ts';
import { StoreFault, type StreamStore } from '../../../../ts/engine/store/store.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

/** Pieces whose steps take a millisecond each; `|` in the log is where a turn ends. */
function bench(): {
  readonly log: string[];
  readonly pieces: Pieces;
  work(name: string, steps: number, fault?: string): Generator<void, void>;
  turn(): void;
} {
  const log: string[] = [];
  const later: (() => void)[] = [];
  let nowMs = 0;
  const clock = Object.assign(new VirtualClock(), {
    monotonicMs: () => nowMs,
    after: (_delayMs: number, call: () => void) => {
      log.push('|');
      later.push(call);
      return { cancel: () => void later.splice(later.indexOf(call), 1) };
    },
  });
  const pieces = new Pieces({ clock, turn: (call) => call() }, () => log.push('.'));
  function* work(name: string, steps: number, fault?: string): Generator<void, void> {
    for (let step = 0; step < steps; step++) {
      log.push(name);
      nowMs++;
      yield;
    }
    if (fault !== undefined) throw new StoreFault('FAULT', fault);
  }
  return { log, pieces, work, turn: () => later.shift()?.() };
}

test('a work that takes long is done some milliseconds a turn, the next behind it, and who waits is told behind the last', () => {
  const { log, pieces, work, turn } = bench();
  pieces.begin(work('a', 8));
  pieces.begin(work('b', 2));
  pieces.whenFree(() => log.push('free'));
  assert.equal(log.join(''), 'aaaaaa|');
  turn();
  assert.equal(log.join(''), 'aaaaaa|aabb.free');
  assert.equal(pieces.any, false);
});

test('a small work is done at once, and one that fails at once throws', () => {
  const { log, pieces, work } = bench();
  pieces.begin(work('a', 2));
  assert.equal(log.join(''), 'aa.');
  assert.throws(() => pieces.begin(work('b', 1, 'no disk')), /no disk/);
  pieces.whenFree((error) => assert.equal(error, undefined));
});

test('who waits for a work hears that it failed, or that the stream was closed', () => {
  const { pieces, work, turn } = bench();
  const told: (string | undefined)[] = [];
  pieces.begin(work('a', 7, 'no disk'));
  pieces.whenFree((error) => told.push(error?.message));
  turn();
  pieces.begin(work('b', 20));
  pieces.whenFree((error) => told.push(error?.message));
  pieces.stop(new StoreFault('CLOSED', 'closed'));
  assert.deepEqual(told, ['no disk', 'closed']);
});

const messages = 150_000;
const payload = new Uint8Array(4);

/** A stream with so many messages on a thousand subjects. */
async function full(server: TestStore): Promise<StreamStore> {
  const stream = server.store.create(server.options('S'), '{}');
  server.turn(() => {
    for (let n = 0; n < messages; n++) stream.append({ subject: `a.${n % 1000}`, payload });
  });
  await synced(stream);
  return stream;
}

/** What is seen of a stream while a work goes on: publishes go through, a get is not answered, and nobody who asks is told before its end. */
async function meanwhile(server: TestStore, stream: StreamStore): Promise<number> {
  let seen: number | undefined;
  let published = 0;
  stream.whenSynced(() => (seen = stream.state.messages));
  while (stream.works.any) {
    assert.equal(seen, undefined, 'nobody is told of half a work');
    assert.equal(stream.shows(messages), false);
    server.turn(() => stream.append({ subject: `a.${published % 1000}`, payload }));
    published++;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await synced(stream);
  assert.ok(published > 0, 'others had their turn');
  assert.equal(seen, stream.state.messages);
  assert.equal(stream.shows(messages), true);
  return published;
}

test('a mistake of ours inside a work ends it as a fault does: nobody waits for ever', () => {
  const { log, pieces, work, turn } = bench();
  function* mistaken(): Generator<void, void> {
    yield* work('a', 8);
    throw new TypeError('a slip');
  }
  pieces.begin(mistaken());
  pieces.begin(work('b', 1));
  pieces.whenFree((error) => log.push(error?.message ?? 'free'));
  turn();
  assert.equal(log.join(''), 'aaaaaa|aab.internal error: a slip');
});

test('a purge that keeps the newest messages lets others have their turn, and is seen as a whole', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = await full(server);
  let purged = 0;
  server.turn(() => stream.purgeInPieces({ keep: 100 }, (count) => (purged += count)));
  const published = await meanwhile(server, stream);
  assert.equal(purged, messages - 100);
  const { firstSeq, messages: left } = stream.state;
  assert.deepEqual({ firstSeq, left }, { firstSeq: messages - 99, left: 100 + published });
  await server.stop();
  removeFolder(root);
});

/** A stream of which every third message is on `b`. */
async function mixed(server: TestStore): Promise<StreamStore> {
  const stream = server.store.create(server.options('S'), '{}');
  server.turn(() => {
    for (let n = 1; n <= messages; n++) stream.append({ subject: n % 3 === 0 ? `b.${n % 1000}` : `a.${n % 50_000}`, payload });
  });
  await synced(stream);
  return stream;
}

for (const [name, request, gone] of [
  ['everything on its subjects', { filter: 'a.>' }, 100_000],
  ['what is below a sequence', { filter: 'a.*', seq: 90_001 }, 60_000],
  ['all but the newest', { filter: 'a.>', keep: 10_000 }, 90_000],
  ['all but the newest, more than are in front of them', { filter: 'a.>', keep: 99_999 }, 1],
  ['nothing, as fewer are there than shall be kept', { filter: 'a.>', keep: 200_000 }, 0],
] as const) {
  test(`a purge by a filter that matches very much lets others have their turn, and takes only what was there: ${name}`, async () => {
    const root = temporaryFolder();
    const server = openTestStore(root);
    const stream = await mixed(server);
    let purged = 0;
    let told = 0;
    server.turn(() => stream.purgeInPieces(request, (count) => ((purged += count), told++)));
    if (gone > 1) assert.ok(stream.works.any, 'not all at once');
    const published = stream.works.any ? await meanwhile(server, stream) : 0;
    assert.equal(purged, gone);
    if (gone > 1) assert.ok(told > 1);
    const { messages: left, lastSeq } = stream.state;
    assert.deepEqual({ left, lastSeq }, { left: messages + published - gone, lastSeq: messages + published });
    // Two of three are on `a`: so many of them, in order, are below the first that stays.
    const firstLeft = 'seq' in request ? request.seq : Math.floor(gone / 2) * 3 + (gone % 2) + 1;
    assert.equal(stream.nextSeq(['a.>'], 1), gone === 100_000 ? (published > 0 ? messages + 1 : 0) : firstLeft);
    assert.equal(stream.countPending(['b.>'], 1), messages / 3);
    await server.stop();
    const again = openTestStore(root);
    const back = await again.store.recover(again.options('S'));
    assert.equal(back.state.messages, left);
    await again.stop();
    removeFolder(root);
  });
}

test('a purge by a filter that keeps the newest keeps all of them, also when others of what it takes go meanwhile', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = await mixed(server);
  server.turn(() => stream.purgeInPieces({ filter: 'a.>', keep: 50_000 }, () => {}));
  assert.ok(stream.works.any);
  server.turn(() => {
    for (let seq = 70_000; seq < 75_000; seq++) stream.delete(seq);
  });
  await new Promise<void>((resolve) => stream.works.whenFree(() => resolve()));
  assert.equal(stream.nextSeq(['a.>'], 1), 75_001);
  await server.stop();
  removeFolder(root);
});

for (const [name, limits, kept] of [
  ['a stream', { maxMessages: 100 }, 100],
  ['a subject', { maxMessagesPerSubject: 1 }, 1000],
  ['a stream in bytes', { maxBytes: 0 }, 0],
] as const) {
  test(`limits of ${name} that are lowered hold when the work is done, also for what is published meanwhile`, async () => {
    const root = temporaryFolder();
    const server = openTestStore(root);
    const stream = await full(server);
    const maxBytes = 'maxBytes' in limits ? Math.round(stream.state.bytes / messages) * 100 : -1;
    server.turn(() => stream.setLimits({ ...noLimits, ...limits, maxBytes }));
    await meanwhile(server, stream);
    const { messages: left } = stream.state;
    if (kept > 0) assert.equal(left, kept);
    else assert.ok(stream.state.bytes <= maxBytes && left > 90, `${left} messages`);
    await server.stop();
    const again = openTestStore(root);
    const back = await again.store.recover(again.options('S', { limits: { ...noLimits, ...limits, maxBytes } }));
    assert.equal(back.state.messages, left);
    await again.stop();
    removeFolder(root);
  });
}

test('a stream that is closed in the middle of a purge begins where the purge had come to', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = await full(server);
  let purged = 0;
  let told: Error | undefined;
  server.turn(() => stream.purgeInPieces({ seq: messages }, (count) => (purged += count)));
  stream.works.whenFree((error) => (told = error));
  assert.ok(stream.works.any);
  await server.stop();
  assert.match(told?.message ?? '', /closed/);
  const again = openTestStore(root);
  const { firstSeq } = (await again.store.recover(again.options('S'))).state;
  assert.equal(firstSeq, purged + 1);
  await again.stop();
  removeFolder(root);
});
