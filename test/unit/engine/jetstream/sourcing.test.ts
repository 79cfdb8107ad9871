// Mirrors and sources over fakes: what their infos say, what their messages look like, what origins keep for them, and what happens when an origin
// is missing, goes, or there is no room. Expectations are what nats-server 2.14.5 did with the same requests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeStream } from './fakes.ts';
import { apiSession, type ApiSession } from './session.ts';

interface Info {
  readonly state: {
    readonly messages: number;
    readonly first_seq: number;
    readonly last_seq: number;
    readonly consumer_count: number;
  };
  readonly mirror?: object;
  readonly sources?: readonly object[];
}

const decoder = new TextDecoder();
const missing = { code: 404, err_code: 10059, description: 'stream not found' };

async function ask(session: ApiSession, subject: string, body?: object): Promise<unknown> {
  const { text } = await session.request(`$JS.API.${subject}`, body === undefined ? '' : JSON.stringify(body));
  assert.ok(text !== undefined, `${subject} was not answered`);
  const answer = JSON.parse(text) as { error?: object };
  assert.equal(answer.error, undefined, `${subject}: ${text}`);
  return answer;
}

const create = (session: ApiSession, config: { name: string } & Record<string, unknown>): Promise<unknown> =>
  ask(session, `STREAM.CREATE.${config.name}`, config);
const info = (session: ApiSession, name: string): Promise<Info> => ask(session, `STREAM.INFO.${name}`) as Promise<Info>;

async function counts(session: ApiSession, name: string): Promise<readonly number[]> {
  const { messages, first_seq, last_seq } = (await info(session, name)).state;
  return [messages, first_seq, last_seq];
}

function stored(session: ApiSession, name: string): FakeStream {
  const stream = session.store.streams.get(name);
  assert.ok(stream, `stream ${name}`);
  return stream;
}

function headersOf(session: ApiSession, name: string, seq: number): string {
  return decoder.decode(stored(session, name).get(seq)?.headers);
}

async function withOrigin(config: object = {}, messages = 3): Promise<ApiSession> {
  const session = await apiSession();
  await create(session, { name: 'O', subjects: ['o.>'], ...config });
  for (let n = 1; n <= messages; n++) session.publish(`o.${n}`, `m${n}`);
  return session;
}

test('mirrors and sources count among the consumers of the account, and not of the stream', async () => {
  const session = await withOrigin();
  await create(session, { name: 'M', mirror: { name: 'O' } });
  await create(session, { name: 'S', sources: [{ name: 'O', filter_subject: 'o.1' }, { name: 'OTHER' }] });
  const consumers = async (): Promise<number> => ((await ask(session, 'INFO')) as { consumers: number }).consumers;
  assert.equal(await consumers(), 2);
  assert.equal((await info(session, 'O')).state.consumer_count, 0);
  await ask(session, 'STREAM.DELETE.S');
  assert.equal(await consumers(), 1);
});

test('a mirror of a missing stream says so, and begins when the stream appears', async () => {
  const session = await apiSession();
  await create(session, { name: 'M', mirror: { name: 'O' } });
  assert.deepEqual((await info(session, 'M')).mirror, { name: 'O', lag: 0, active: -1, error: missing });
  await create(session, { name: 'O', subjects: ['o.>'] });
  session.publish('o.1', 'x');
  assert.deepEqual((await info(session, 'M')).mirror, { name: 'O', lag: 0, active: 0 });
  session.clock.advance(1700);
  assert.deepEqual((await info(session, 'M')).mirror, { name: 'O', lag: 0, active: 700_000_000 }, 'heard of once a second');
  await ask(session, 'STREAM.DELETE.O');
  session.clock.advance(5000);
  assert.deepEqual((await info(session, 'M')).mirror, { name: 'O', lag: 0, active: 5_700_000_000, error: missing });
  assert.deepEqual(await counts(session, 'M'), [1, 1, 1], 'what it has stays');
  await session.stop();
});

test('a mirror keeps sequences, times and gaps, and begins where it was told', async () => {
  const session = await withOrigin({}, 6);
  stored(session, 'O').delete(5);
  await create(session, { name: 'M', mirror: { name: 'O', opt_start_seq: 4 } });
  assert.deepEqual(await counts(session, 'M'), [2, 4, 6]);
  assert.deepEqual(stored(session, 'M').get(6)?.ts, stored(session, 'O').get(6)?.ts);
  await create(session, { name: 'BEHIND', mirror: { name: 'O', opt_start_seq: 50 } });
  assert.deepEqual(await counts(session, 'BEHIND'), [0, 7, 6]);
  await create(session, { name: 'FILTERED', mirror: { name: 'O', filter_subject: 'o.3' } });
  assert.deepEqual(await counts(session, 'FILTERED'), [1, 3, 3]);
  await session.stop();
});

test('headers that were meant for the origin are not copied, and a sourced message says where it came from', async () => {
  const session = await withOrigin({}, 0);
  await create(session, { name: 'M', mirror: { name: 'O' } });
  const transforms = [
    { src: 'o.1', dest: 'x.1' },
    { src: 'o.2', dest: '' },
  ];
  await create(session, { name: 'S', sources: [{ name: 'O' }] });
  await create(session, { name: 'T', sources: [{ name: 'S', subject_transforms: transforms }] });
  session.publish('o.1', 'x', 'Nats-Expected-Stream: O\r\nfoo: bar');
  session.publish('o.2', 'x', 'Nats-Expected-Stream: O');
  assert.equal(headersOf(session, 'M', 1), 'NATS/1.0\r\nfoo: bar\r\n\r\n');
  assert.equal(headersOf(session, 'M', 2), '');
  assert.equal(headersOf(session, 'S', 1), 'NATS/1.0\r\nfoo: bar\r\nNats-Stream-Source: O 1 > > o.1\r\n\r\n');
  assert.equal(headersOf(session, 'S', 2), 'NATS/1.0\r\nNats-Stream-Source: O 2 > > o.2\r\n\r\n');
  const both = 'o.1\fo.2 x.1\f>';
  assert.equal(headersOf(session, 'T', 1), `NATS/1.0\r\nfoo: bar\r\nNats-Stream-Source: S 1 ${both} o.1\r\n\r\n`);
  assert.deepEqual([stored(session, 'T').get(1)?.subject, stored(session, 'T').get(2)?.subject], ['x.1', 'o.2']);
  await session.stop();
});

test('rollups are followed where the stream allows them', async () => {
  const session = await withOrigin({ allow_rollup_hdrs: true }, 0);
  await create(session, { name: 'FOLLOWS', mirror: { name: 'O' }, allow_rollup_hdrs: true });
  await create(session, { name: 'KEEPS', mirror: { name: 'O' } });
  for (const headers of ['', '', 'Nats-Rollup: sub']) session.publish('o.1', 'x', headers);
  assert.deepEqual(await counts(session, 'FOLLOWS'), [1, 3, 3]);
  assert.deepEqual(await counts(session, 'KEEPS'), [3, 1, 3]);
  await session.stop();
});

test('two ways to the same message store it once when the duplicate window is open', async () => {
  const session = await withOrigin({}, 0);
  const sources = [{ name: 'O' }, { name: 'O', filter_subject: 'o.1' }];
  await create(session, { name: 'S', sources, duplicate_window: 60e9 });
  session.publish('o.1', 'x', 'Nats-Msg-Id: a');
  session.publish('o.1', 'y', 'Nats-Msg-Id: b');
  assert.deepEqual(await counts(session, 'S'), [2, 1, 2]);
  await session.stop();
});

test('a full stream that discards new messages takes more when there is room', async () => {
  const session = await withOrigin({}, 5);
  for (const kind of [
    { name: 'M', mirror: { name: 'O' } },
    { name: 'S', sources: [{ name: 'O' }] },
  ]) {
    await create(session, { ...kind, discard: 'new', max_msgs: 2 });
    assert.deepEqual(await counts(session, kind.name), [2, 1, 2]);
    await ask(session, `STREAM.PURGE.${kind.name}`);
    assert.deepEqual(await counts(session, kind.name), [2, 3, 4]);
    assert.deepEqual((await info(session, kind.name))[kind.name === 'M' ? 'mirror' : 'sources'] !== undefined, true);
  }
  assert.deepEqual((await info(session, 'M')).mirror, { name: 'O', lag: 1, active: 0 });
  await session.stop();
});

test('work queues and interest streams keep a message until mirrors and sources have it on disk', async () => {
  for (const retention of ['workqueue', 'interest']) {
    const session = await withOrigin({ retention }, 0);
    await create(session, { name: 'S', sources: [{ name: 'O' }] });
    stored(session, 'S').holdSyncs = true;
    session.publish('o.1', 'x');
    assert.deepEqual(await counts(session, 'O'), [1, 1, 1], `${retention}: not on disk there`);
    stored(session, 'S').holdSyncs = false;
    stored(session, 'S').sync();
    assert.deepEqual(await counts(session, 'O'), [0, 2, 1], `${retention}: it may go`);
    await session.stop();
  }
});

test('what the limits of an origin remove is copied before, also while what was copied earlier is not on disk yet', async () => {
  const session = await withOrigin({ max_msgs_per_subject: 1 }, 0);
  await create(session, { name: 'M', mirror: { name: 'O' } });
  await create(session, { name: 'S', sources: [{ name: 'O' }] });
  const copies = ['M', 'S'].map((name) => stored(session, name));
  for (const copy of copies) copy.holdSyncs = true;
  for (let n = 1; n <= 3; n++) session.publish('o.same', `m${n}`);
  for (const copy of copies) {
    copy.holdSyncs = false;
    copy.sync();
    assert.deepEqual(
      [1, 2, 3].map((seq) => decoder.decode(copy.get(seq)?.payload)),
      ['m1', 'm2', 'm3'],
    );
  }
  await session.stop();
});

test('no more than so much is copied before it is on disk', async () => {
  const session = await withOrigin({ retention: 'workqueue' }, 0);
  await create(session, { name: 'M', mirror: { name: 'O' } });
  stored(session, 'M').holdSyncs = true;
  for (let n = 1; n <= 1001; n++) session.publish('o.1', 'x');
  assert.equal(stored(session, 'M').state.messages, 1000);
  stored(session, 'M').holdSyncs = false;
  stored(session, 'M').sync();
  session.clock.advance(0);
  assert.deepEqual(await counts(session, 'M'), [1001, 1, 1001]);
  assert.deepEqual(await counts(session, 'O'), [0, 1002, 1001], 'and then it may go from the origin');
  await session.stop();
});

test('nothing is copied that is not on disk at the origin', async () => {
  const session = await withOrigin({}, 0);
  await create(session, { name: 'M', mirror: { name: 'O' } });
  stored(session, 'O').holdSyncs = true;
  session.publish('o.1', 'x');
  assert.equal(stored(session, 'M').state.messages, 0);
  stored(session, 'O').sync();
  assert.equal(stored(session, 'M').state.messages, 1);
  stored(session, 'O').holdSyncs = false;
  await session.stop();
});

test('a promoted mirror goes on by itself', async () => {
  const session = await withOrigin();
  await create(session, { name: 'M', mirror: { name: 'O' } });
  await ask(session, 'STREAM.UPDATE.M', { name: 'M', subjects: ['mm'] });
  session.publish('o.4', 'not any more');
  session.publish('mm', 'own');
  assert.deepEqual([stored(session, 'M').state.messages, stored(session, 'M').get(4)?.subject], [4, 'mm']);
  assert.equal((await info(session, 'M')).mirror, undefined);
  await session.stop();
});

test('an update adds and removes sources; those that stay go on', async () => {
  const session = await withOrigin();
  await create(session, { name: 'P', subjects: ['p'] });
  session.publish('p', 'x');
  await create(session, { name: 'S', sources: [{ name: 'O' }] });
  await ask(session, 'STREAM.UPDATE.S', { name: 'S', sources: [{ name: 'O' }, { name: 'P' }] });
  assert.equal(stored(session, 'S').get(4)?.subject, 'p');
  await ask(session, 'STREAM.UPDATE.S', { name: 'S', sources: [{ name: 'P' }] });
  session.publish('o.4', 'not any more');
  session.publish('p', 'y');
  assert.deepEqual(await counts(session, 'S'), [5, 1, 5]);
  await ask(session, 'STREAM.UPDATE.S', { name: 'S', sources: [{ name: 'P' }, { name: 'O' }] });
  assert.deepEqual([stored(session, 'S').get(6)?.subject, (await counts(session, 'S'))[0]], ['o.4', 6]);
  await session.stop();
});

test('a purged stream does not take the same messages again after a restart', async () => {
  const session = await withOrigin();
  await create(session, { name: 'S', sources: [{ name: 'O' }] });
  await ask(session, 'STREAM.PURGE.S');
  await session.restart();
  session.publish('o.4', 'new');
  session.clock.advance(100);
  assert.deepEqual(await counts(session, 'S'), [1, 4, 4]);
  await session.stop();
});

test('a mirror made before its origin takes over how that is asked at the next start', async () => {
  const session = await apiSession();
  await create(session, { name: 'M', mirror: { name: 'O' } });
  await create(session, { name: 'O', subjects: ['o.>'], allow_direct: true });
  const shown = async (): Promise<unknown> =>
    ((await ask(session, 'STREAM.INFO.M')) as { config: { mirror_direct: boolean } }).config.mirror_direct;
  assert.equal(await shown(), false);
  await session.restart();
  assert.equal(await shown(), true);
  await session.stop();
});

test('a sealed stream takes nothing from its sources', async () => {
  const session = await withOrigin();
  await create(session, { name: 'S', sources: [{ name: 'O' }] });
  await ask(session, 'STREAM.UPDATE.S', { name: 'S', sources: [{ name: 'O' }], sealed: true });
  session.publish('o.4', 'x');
  assert.deepEqual(await counts(session, 'S'), [3, 1, 3]);
  await session.stop();
});

test('a source of which no message is left goes on after a restart right behind the last one it took', async () => {
  const session = await withOrigin();
  await create(session, { name: 'S', subjects: ['s'], sources: [{ name: 'O' }] });
  assert.deepEqual(await counts(session, 'S'), [3, 1, 3]);
  // What the origin got before the stream's own last message, but could not show yet.
  stored(session, 'O').holdSyncs = true;
  session.publish('o.4', 'm4');
  session.clock.advance(10_000);
  session.publish('s', 'own');
  await ask(session, 'STREAM.PURGE.S');
  await session.restart();
  stored(session, 'O').holdSyncs = false;
  stored(session, 'O').sync();
  assert.match(headersOf(session, 'S', 5), /Nats-Stream-Source: O 4 > > o\.4/);
  assert.deepEqual(await counts(session, 'S'), [1, 5, 5], 'nothing is left out, nothing is taken twice');
  await session.stop();
});

test('places of sources are written while they run, a second behind at the most', async () => {
  const session = await withOrigin();
  await create(session, { name: 'S', sources: [{ name: 'O' }] });
  assert.equal(stored(session, 'S').readBeside('sources.json'), undefined);
  session.clock.advance(1000);
  const content = JSON.parse(decoder.decode(stored(session, 'S').readBeside('sources.json'))) as { places: object };
  assert.deepEqual(Object.values(content.places), [3]);
  await session.stop();
});
