// TTLs, ages and schedules of streams, with a clock that the test moves, over restarts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTimes } from '../../../../ts/core/stream/times-file.ts';
import { apiSession, type ApiSession } from './session.ts';

async function create(session: ApiSession, config: Record<string, unknown>): Promise<void> {
  const { text } = await session.request(`$JS.API.STREAM.CREATE.${String(config['name'])}`, JSON.stringify(config));
  assert.ok(text?.includes('did_create'), text);
}

async function subjects(session: ApiSession, stream: string): Promise<Record<string, number>> {
  const { text = '{}' } = await session.request(`$JS.API.STREAM.INFO.${stream}`, '{"subjects_filter":">"}');
  return (JSON.parse(text) as { state: { subjects?: Record<string, number> } }).state.subjects ?? {};
}

test('TTLs that end while the server is away end at its start, the others at their time', async () => {
  const session = await apiSession();
  await create(session, { name: 'T', subjects: ['t.>'], allow_msg_ttl: true });
  session.publish('t.10', '', 'Nats-TTL: 10');
  session.publish('t.60', '', 'Nats-TTL: 1m');
  session.publish('t.never', '', 'Nats-TTL: never');
  session.publish('t.none', 'x');
  await session.restart();
  session.clock.advance(20_000);
  assert.deepEqual(await subjects(session, 'T'), { 't.60': 1, 't.never': 1, 't.none': 1 });
  await session.restart();
  session.clock.advance(3_600_000);
  assert.deepEqual(await subjects(session, 'T'), { 't.never': 1, 't.none': 1 });
  await session.stop();
});

test('TTLs are found in the messages when the file of them is gone', async () => {
  const session = await apiSession();
  await create(session, { name: 'T', subjects: ['t.>'], allow_msg_ttl: true });
  for (let count = 0; count < 5_000; count++) session.publish(`t.${count}`, '', 'Nats-TTL: 10');
  session.publish('t.keep', 'x');
  session.store.streams.get('T')?.writeBeside('thw.db', new Uint8Array(0));
  const stop = session.jetstream.stop.bind(session.jetstream);
  session.jetstream.stop = async () => {
    await stop();
    session.store.streams.get('T')?.writeBeside('thw.db', new Uint8Array(0));
  };
  await session.restart();
  session.clock.advance(20_000);
  assert.deepEqual(await subjects(session, 'T'), { 't.keep': 1 });
  await session.stop();
});

test('TTLs of messages that are gone are not remembered until their end', async () => {
  const session = await apiSession();
  await create(session, { name: 'T', subjects: ['t.>'], allow_msg_ttl: true, max_msgs_per_subject: 1 });
  for (let count = 0; count < 5_000; count++) session.publish(`t.${count % 3}`, '', 'Nats-TTL: 24h');
  const stream = session.store.streams.get('T');
  await session.stop();
  const times = decodeTimes('thw.db', stream?.readBeside('thw.db') ?? new Uint8Array(0), 5_000);
  assert.ok((times?.entries.length ?? Infinity) < 2_000, `${times?.entries.length}`);
});

test('with delete markers the last message of a subject leaves one, which ends by itself', async () => {
  const session = await apiSession();
  await create(session, {
    name: 'K',
    subjects: ['k.>'],
    subject_delete_marker_ttl: 60e9,
    max_age: 600e9,
    duplicate_window: 60e9,
    max_msgs_per_subject: 1,
  });
  const markers = session.listen('none');
  session.publish('k.ttl', 'x', 'Nats-TTL: 10');
  session.publish('k.age', 'x');
  session.publish('k.purged', '', 'KV-Operation: PURGE\r\nNats-TTL: 10');
  session.clock.advance(15_000);
  assert.deepEqual(await subjects(session, 'K'), { 'k.age': 1, 'k.ttl': 1 });
  const { text = '' } = await session.request('$JS.API.STREAM.MSG.GET.K', '{"last_by_subj":"k.ttl"}');
  const { message } = JSON.parse(text) as { message: { hdrs: string } };
  assert.equal(
    Buffer.from(message.hdrs, 'base64').toString(),
    'NATS/1.0\r\nNats-Marker-Reason: MaxAge\r\nNats-TTL: 1m0s\r\nNats-Rollup: sub\r\n\r\n',
  );
  session.clock.advance(120_000);
  assert.deepEqual(await subjects(session, 'K'), { 'k.age': 1 });
  session.clock.advance(500_000);
  assert.deepEqual(await subjects(session, 'K'), { 'k.age': 1 });
  session.clock.advance(120_000);
  assert.deepEqual(await subjects(session, 'K'), {});
  assert.equal(markers.length, 0);
  await session.stop();
});

test('max_age takes the messages between those that live for ever', async () => {
  const session = await apiSession();
  await create(session, { name: 'A', subjects: ['a.>'], allow_msg_ttl: true, max_age: 60e9, duplicate_window: 60e9 });
  for (const name of ['1', '2', '3', '4']) session.publish(`a.${name}`, 'x', name === '3' ? '' : 'Nats-TTL: never');
  session.publish('a.5', 'x', 'Nats-TTL: 1h');
  session.clock.advance(30_000);
  session.publish('a.6', 'x');
  session.clock.advance(31_000);
  assert.deepEqual(await subjects(session, 'A'), { 'a.1': 1, 'a.2': 1, 'a.4': 1, 'a.6': 1 });
  session.clock.advance(30_000);
  assert.deepEqual(await subjects(session, 'A'), { 'a.1': 1, 'a.2': 1, 'a.4': 1 });
  await session.stop();
});

test('a schedule comes again and again, and once for all that was missed while the server was away', async () => {
  const session = await apiSession();
  await create(session, { name: 'S', subjects: ['s.>'], allow_msg_schedules: true });
  session.publish('s.plan', 'tick', 'Nats-Schedule: @every 10s\r\nNats-Schedule-Target: s.out');
  session.publish('s.once', 'ding', 'Nats-Schedule: @at 2026-01-02T03:05:00Z\r\nNats-Schedule-Target: s.ding');
  session.clock.advance(35_000);
  assert.deepEqual(await subjects(session, 'S'), { 's.once': 1, 's.out': 3, 's.plan': 1 });
  await session.jetstream.stop();
  session.clock.advance(100_000);
  await session.restart();
  session.clock.advance(1_000);
  assert.deepEqual(await subjects(session, 'S'), { 's.ding': 1, 's.out': 4, 's.plan': 1 });
  session.clock.advance(10_000);
  assert.deepEqual(await subjects(session, 'S'), { 's.ding': 1, 's.out': 5, 's.plan': 1 });
  await session.stop();
});

test('a schedule goes on where the messages it has published say, when the file of schedules is gone', async () => {
  const session = await apiSession();
  await create(session, { name: 'S', subjects: ['s.>'], allow_msg_schedules: true });
  session.publish('s.plan', 'tick', 'Nats-Schedule: @every 10s\r\nNats-Schedule-Target: s.out');
  session.clock.advance(25_000);
  await session.jetstream.stop();
  session.store.streams.get('S')?.writeBeside('sched.db', new Uint8Array(0));
  session.clock.advance(100_000);
  await session.restart();
  session.clock.advance(1_000);
  assert.deepEqual(await subjects(session, 'S'), { 's.out': 3, 's.plan': 1 });
  await session.stop();
});

test('a message that is no schedule ends the schedule on its subject, and so does one that names it', async () => {
  const session = await apiSession();
  await create(session, { name: 'S', subjects: ['s.>'], allow_msg_schedules: true });
  for (const name of ['a', 'b', 'c'])
    session.publish(`s.${name}`, 'tick', `Nats-Schedule: @every 10s\r\nNats-Schedule-Target: s.out.${name}`);
  session.publish('s.a', 'plain');
  session.publish('s.end', 'x', 'Nats-Schedule-Next: purge\r\nNats-Scheduler: s.b');
  session.clock.advance(11_000);
  assert.deepEqual(await subjects(session, 'S'), { 's.a': 2, 's.c': 1, 's.end': 1, 's.out.c': 1 });
  await session.stop();
});
