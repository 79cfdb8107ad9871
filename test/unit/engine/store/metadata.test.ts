/**
 * Metadata of streams and consumers is synced by rounds, apart from the event loop: whatever was answered is there after a power failure at
 * any moment, and a creation that was not answered is in nobody's way.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { effort, holdsInTime } from '../../../oracle/check.ts';
import { consumerStateBytes } from '../../../support/consumer-state.ts';
import { openTestStore, synced } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';

type Step =
  | { readonly is: 'create'; readonly stream: number }
  | { readonly is: 'update'; readonly stream: number }
  | { readonly is: 'publish'; readonly stream: number }
  | { readonly is: 'consumer'; readonly stream: number; readonly consumer: number }
  | { readonly is: 'forget'; readonly stream: number; readonly consumer: number }
  | { readonly is: 'state'; readonly stream: number; readonly consumer: number }
  | { readonly is: 'sync' };

const number = fc.nat(2);
const onStream = (is: 'create' | 'update' | 'publish') =>
  fc.record({ is: fc.constant(is), stream: number }) as fc.Arbitrary<Step>;
const onConsumer = (is: 'consumer' | 'forget' | 'state') =>
  fc.record({ is: fc.constant(is), stream: number, consumer: number }) as fc.Arbitrary<Step>;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: onStream('create') },
  { weight: 1, arbitrary: onStream('update') },
  { weight: 2, arbitrary: onStream('publish') },
  { weight: 4, arbitrary: onConsumer('consumer') },
  { weight: 1, arbitrary: onConsumer('forget') },
  { weight: 4, arbitrary: onConsumer('state') },
  { weight: 5, arbitrary: fc.constant<Step>({ is: 'sync' }) },
);

/** What was answered: the lowest version of each document that must be there, 0 for what must be gone, and messages. */
class Answers {
  readonly #version = new Map<string, number>();
  readonly #answered = new Map<string, number>();
  readonly #gone = new Set<string>();
  readonly messages = new Map<string, number>();

  next(name: string): number {
    const version = (this.#version.get(name) ?? 0) + 1;
    this.#version.set(name, version);
    return version;
  }

  written(name: string, version: number): void {
    if (version > (this.#answered.get(name) ?? 0)) this.#answered.set(name, version);
  }

  removing(name: string): void {
    this.#gone.add(`${name}@${this.next(name)}`);
  }

  /** The version of what is found must be one that may be there. */
  check(name: string, found: string | undefined): void {
    const least = this.#answered.get(name) ?? 0;
    const version = found === undefined ? undefined : Number(found);
    if (version !== undefined) assert.ok(version >= least, `${name} is version ${version}, ${least} was answered`);
    else if (least > 0) {
      const laterGone = [...this.#gone].some((gone) => gone.startsWith(`${name}@`) && Number(gone.split('@')[1]) >= least);
      assert.ok(laterGone, `${name} was answered as version ${least} and is not there`);
    }
  }

  names(): string[] {
    return [...this.#version.keys()];
  }
}

function act(todo: Step, server: ReturnType<typeof openTestStore>, open: Map<number, StreamStore>, answers: Answers): void {
  if (todo.is === 'sync') return;
  const name = `S${todo.stream}`;
  if (todo.is === 'create') {
    if (open.has(todo.stream)) return;
    const version = answers.next(name);
    const stream = server.store.create(server.options(name), String(version));
    open.set(todo.stream, stream);
    stream.whenSynced(() => answers.written(name, version));
    return;
  }
  const stream = open.get(todo.stream);
  if (stream === undefined) return;
  if (todo.is === 'publish') {
    const seq = stream.append({ subject: 'a', payload: new Uint8Array(3) });
    stream.whenSynced(() => answers.messages.set(name, seq));
  } else if (todo.is === 'update') {
    const version = answers.next(name);
    stream.writeMeta(String(version));
    stream.whenSynced(() => answers.written(name, version));
  } else {
    const consumer = `${name}/C${todo.consumer}`;
    if (todo.is === 'consumer') {
      const version = answers.next(consumer);
      stream.writeConsumer(`C${todo.consumer}`, String(version));
      stream.whenSynced(() => answers.written(consumer, version));
    } else if (todo.is === 'state') acknowledge(stream, todo.consumer, consumer, answers);
    else {
      answers.removing(consumer);
      answers.removing(`${consumer}/state`);
      stream.removeConsumer(`C${todo.consumer}`);
    }
  }
}

/** Writes a state that holds a confirmed acknowledgement, told by its floor. */
function acknowledge(stream: StreamStore, consumer: number, name: string, answers: Answers): void {
  if (![...stream.consumers()].some((found) => found.name === `C${consumer}`)) return;
  const version = answers.next(`${name}/state`);
  const floor = { consumer: version, stream: version };
  const state = consumerStateBytes({ ackFloor: floor, delivered: floor, pending: [], redelivered: [] });
  stream.writeConsumerState(`C${consumer}`, state, true);
  stream.whenSynced(() => answers.written(`${name}/state`, version));
}

async function check(folder: string, answers: Answers): Promise<void> {
  const after = openTestStore(join(folder, 'js'));
  const streams = new Map(after.store.find('$G').map((found) => [found.name, found]));
  const consumers = new Map<string, string | undefined>();
  for (const [name, { meta, problem }] of streams) {
    assert.equal(problem, undefined, `${name}: ${problem}`);
    assert.ok(meta !== undefined);
    const stream = await after.store.recover(after.options(name));
    for (const found of stream.consumers()) {
      consumers.set(`${name}/${found.name}`, found.meta);
      if (found.state !== undefined) consumers.set(`${name}/${found.name}/state`, String(found.state.ackFloor.stream));
    }
    assert.ok(stream.state.lastSeq >= (answers.messages.get(name) ?? 0), `${name} has all acknowledged messages`);
  }
  for (const name of answers.messages.keys()) assert.ok(streams.has(name), `${name} has acknowledged messages and is not there`);
  for (const name of answers.names()) answers.check(name, name.includes('/') ? consumers.get(name) : streams.get(name)?.meta);
  await after.stop();
}

const someNames = fc.constantFrom('synced' as const, 'newest' as const);

test('a power failure takes no stream, no consumer and no acknowledgement that was answered', async () => {
  await holdsInTime(
    fc.asyncProperty(fc.array(step, { maxLength: 50 }), someNames, async (steps, names) => {
      const folder = temporaryFolder();
      const disk = new VolatileDisk();
      disk.makeDirectory('/js');
      disk.syncDirectory('/');
      const server = openTestStore('/js', disk);
      const open = new Map<number, StreamStore>();
      const answers = new Answers();
      for (const todo of steps) {
        if (todo.is === 'sync') disk.finishSync();
        else server.turn(() => act(todo, server, open, answers));
      }
      disk.leaveIn(folder, names);
      await check(folder, answers);
      removeFolder(folder);
    }),
    effort(120),
  );
});

test('nothing is promised of a stream before the stream itself is on disk', () => {
  const disk = new VolatileDisk();
  disk.makeDirectory('/js');
  const server = openTestStore('/js', disk);
  const calls: string[] = [];
  server.turn(() => {
    const stream = server.store.create(server.options('S'), '{}');
    stream.append({ subject: 'a', payload: new Uint8Array(1) });
    stream.whenSynced(() => calls.push(`synced ${stream.syncedSeq}`));
    assert.equal(stream.syncedSeq, 0);
  });
  assert.deepEqual(disk.list('/js/$G/streams/S/msgs'), [], 'no block before the stream is there');
  disk.finishSync();
  assert.deepEqual(calls, [], 'the stream is there, its message is not');
  disk.finishSync();
  assert.deepEqual(calls, ['synced 1']);
});

test('the second stream of an account does not lean on the round of the first', async () => {
  const folder = temporaryFolder();
  const disk = new VolatileDisk();
  disk.makeDirectory('/js');
  disk.syncDirectory('/');
  const server = openTestStore('/js', disk);
  const answers = new Answers();
  const open = new Map<number, StreamStore>();
  for (const stream of [0, 1]) server.turn(() => act({ is: 'create', stream }, server, open, answers));
  disk.finishSync(1);
  disk.leaveIn(folder);
  await check(folder, answers);
  const after = openTestStore(join(folder, 'js'));
  assert.deepEqual(
    after.store.find('$G').map(({ name, meta }) => [name, meta]),
    [['S1', '1']],
  );
  await after.stop();
  removeFolder(folder);
});

test('creations that arrive together share their syncs, and waiting for one does not wait for those behind it', () => {
  const disk = new VolatileDisk();
  disk.makeDirectory('/js');
  const server = openTestStore('/js', disk);
  const made: number[] = [];
  let stream: StreamStore | undefined;
  server.turn(() => (stream = server.store.create(server.options('S'), '{}')));
  disk.finishSync();
  const make = (number: number): void =>
    server.turn(() => {
      stream?.writeConsumer(`C${number}`, '{}');
      stream?.whenSynced(() => made.push(number));
    });
  make(0);
  for (let round = 1; round < 5; round++) {
    make(round);
    disk.finishSync();
    assert.equal(made.join(), [0, 1, 2, 3].slice(0, round).join(), 'each waits for the round under way and for its own');
  }
});

/** What a crash may leave of a creation, here and in nats-server: names without content, one file without the other. */
const halfDone: readonly (readonly (readonly [name: string, content: string])[])[] = [
  [],
  [['meta.inf', '']],
  [['meta.inf', '{}']],
  [
    ['meta.inf', '{}'],
    ['meta.sum', ''],
  ],
  [
    ['meta.inf', ''],
    ['meta.sum', '0123456789abcdef'],
  ],
  [
    ['msgs/1.blk', ''],
    ['meta.inf.tmp', '{"na'],
  ],
];

for (const files of halfDone) {
  const left = files.map(([name, content]) => `${name} '${content}'`).join(', ') || 'an empty directory';
  test(`a creation that a crash left half done does not stand in the way of the next: ${left}`, () => makesAnew(files));
}

async function makesAnew(files: readonly (readonly [name: string, content: string])[]): Promise<void> {
  const root = temporaryFolder();
  const path = join(root, '$G/streams/S');
  mkdirSync(join(path, 'msgs'), { recursive: true });
  for (const [name, content] of files) writeFileSync(join(path, name), content);
  const server = openTestStore(root);
  assert.deepEqual(server.store.find('$G'), []);
  const stream = server.store.create(server.options('S'), '{"name":"S"}');
  server.turn(() => void stream.append({ subject: 'a', payload: new Uint8Array(10) }));
  await synced(stream);
  await stream.stop();
  assert.ok(existsSync(join(path, 'meta.inf')));
  const again = await server.store.recover(server.options('S'));
  assert.deepEqual([again.state.messages, again.state.lastSeq, again.state.lost], [1, 1, undefined]);
  await server.stop();
}

test('metadata without content beside messages or consumers is no half-done creation', async () => {
  for (const kept of ['msgs/1.blk', 'obs/C/meta.inf']) {
    const root = temporaryFolder();
    const server = openTestStore(root);
    const stream = server.store.create(server.options('S'), '{}');
    server.turn(() => {
      if (kept === 'msgs/1.blk') stream.append({ subject: 'a', payload: new Uint8Array(1) });
      else stream.writeConsumer('C', '{}');
    });
    await server.stop();
    const path = join(root, '$G/streams/S');
    assert.ok(existsSync(join(path, kept)));
    writeFileSync(join(path, 'meta.inf'), '');
    const again = openTestStore(root);
    assert.match(again.store.find('$G')[0]?.problem ?? '', /checksum/);
    assert.throws(() => again.store.create(again.options('S'), '{}'), /has a stream already/);
    await again.stop();
    removeFolder(root);
  }
});
