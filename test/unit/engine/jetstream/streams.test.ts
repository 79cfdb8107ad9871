// Streams and consumers of the engine over fakes: what survives a restart, what waits for the disk, what retention removes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StoreFault } from '../../../../ts/engine/store/store.ts';
import { apiSession, type ApiSession } from './session.ts';

async function json(session: ApiSession, subject: string, body?: unknown): Promise<Record<string, unknown>> {
  const { text } = await session.request(`$JS.API.${subject}`, body === undefined ? '' : JSON.stringify(body));
  assert.ok(text !== undefined, `${subject} was not answered`);
  const answer = JSON.parse(text) as Record<string, unknown>;
  assert.equal(answer['error'], undefined, `${subject}: ${text}`);
  return answer;
}

async function withStream(config: object = {}): Promise<ApiSession> {
  const session = await apiSession();
  await json(session, 'STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], ...config });
  return session;
}

const durable = { stream_name: 'S', config: { durable_name: 'C', ack_policy: 'explicit', ack_wait: 1e9 } };

test('streams, consumers and what is acknowledged survive a restart', async () => {
  const session = await withStream();
  for (const name of ['a', 'b', 'c']) session.publish(`s.${name}`, name);
  await json(session, 'CONSUMER.DURABLE.CREATE.S.C', durable);
  const messages = session.listen('in');
  session.broker.publish(0, '$JS.API.CONSUMER.MSG.NEXT.S.C', 'in', undefined, Buffer.from('2'));
  assert.equal(messages.length, 2);
  session.broker.publish(0, messages[0]?.reply ?? '', '', undefined, new Uint8Array(0));
  await session.restart();
  const info = await json(session, 'CONSUMER.INFO.S.C');
  assert.deepEqual(
    [info['delivered'], info['ack_floor'], info['num_ack_pending'], info['num_pending']],
    [{ consumer_seq: 2, stream_seq: 2 }, { consumer_seq: 1, stream_seq: 1 }, 1, 1],
  );
  session.clock.advance(2000);
  session.broker.publish(0, '$JS.API.CONSUMER.MSG.NEXT.S.C', 'in', undefined, Buffer.from('5'));
  assert.match(messages[2]?.reply ?? '', /^\$JS\.ACK\.S\.C\.2\.2\.3\./, 'the one not acknowledged comes again');
  assert.match(messages[3]?.reply ?? '', /^\$JS\.ACK\.S\.C\.1\.3\.4\./);
  await session.stop();
});

test('message ids are remembered over a restart', async () => {
  const session = await withStream();
  const acks = session.listen('ack');
  const publish = (): void => {
    session.broker.publish(0, 's.a', 'ack', Buffer.from('NATS/1.0\r\nNats-Msg-Id: 7\r\n\r\n'), Buffer.from('x'));
  };
  publish();
  await session.restart();
  publish();
  assert.deepEqual(
    acks.map(({ payload }) => Buffer.from(payload).toString()),
    ['{"stream":"S","seq":1}', '{"stream":"S","seq":1,"duplicate": true}'],
  );
  await session.stop();
});

test('nothing is shown, delivered or acknowledged before it is on disk', async () => {
  const session = await withStream();
  await json(session, 'CONSUMER.DURABLE.CREATE.S.C', durable);
  const stream = session.store.streams.get('S');
  assert.ok(stream);
  const messages = session.listen('in');
  session.broker.publish(0, '$JS.API.CONSUMER.MSG.NEXT.S.C', 'in', undefined, Buffer.from('5'));
  stream.holdSyncs = true;
  const headers = Buffer.from('NATS/1.0\r\nNats-Msg-Id: 7\r\n\r\n');
  for (let times = 0; times < 2; times++) session.broker.publish(0, 's.a', 'in', headers, Buffer.from('x'));
  session.broker.publish(0, '$JS.API.STREAM.INFO.S', 'in', undefined, new Uint8Array(0));
  session.broker.publish(0, '$JS.API.STREAM.MSG.GET.S', 'in', undefined, Buffer.from('{"seq":1}'));
  session.broker.publish(0, '$JS.API.STREAM.MSG.DELETE.S', 'in', undefined, Buffer.from('{"seq":1}'));
  assert.deepEqual(messages, []);
  stream.holdSyncs = false;
  stream.sync();
  assert.equal(messages.length, 5, 'two publish acknowledgements, info, the message, the delete');
  await session.stop();
});

test('a work queue lets go of what is acknowledged', async () => {
  const session = await withStream({ retention: 'workqueue' });
  await json(session, 'CONSUMER.DURABLE.CREATE.S.C', durable);
  for (const name of ['a', 'b']) session.publish(`s.${name}`, name);
  const messages = session.listen('in');
  session.broker.publish(0, '$JS.API.CONSUMER.MSG.NEXT.S.C', 'in', undefined, Buffer.from('2'));
  session.broker.publish(0, messages[1]?.reply ?? '', '', undefined, Buffer.from('+ACK'));
  const { state } = await json(session, 'STREAM.INFO.S');
  assert.equal((state as { messages: number }).messages, 1);
  await session.stop();
});

test('a rollup leaves one message on its subject, or in the stream', async () => {
  const session = await withStream({ allow_rollup_hdrs: true });
  for (const name of ['a', 'a', 'b']) session.publish(`s.${name}`, name);
  session.publish('s.a', 'last', 'Nats-Rollup: sub');
  assert.deepEqual((await json(session, 'STREAM.INFO.S', { subjects_filter: '>' }))['state'], {
    ...((await json(session, 'STREAM.INFO.S'))['state'] as object),
    subjects: { 's.a': 1, 's.b': 1 },
  });
  session.publish('s.c', 'only', 'Nats-Rollup: all');
  assert.equal(((await json(session, 'STREAM.INFO.S'))['state'] as { messages: number }).messages, 1);
  await session.stop();
});

test('very many subjects are listed with other requests answered in between, unless their stream goes', async () => {
  const session = await withStream();
  for (let n = 0; n < 10_001; n++) session.publish(`s.${String(n).padStart(5, '0')}`, 'x');
  const answerTo = async (reply: string, between: () => Promise<unknown>): Promise<string> => {
    const answers = session.listen(reply);
    const body = Buffer.from('{"subjects_filter":"s.*","offset":9999}');
    session.broker.publish(0, '$JS.API.STREAM.INFO.S', reply, undefined, body);
    await between();
    assert.equal(answers.length, 0, 'another request is answered first');
    while (answers.length === 0) {
      session.clock.advance(1);
      await nextTurn();
    }
    return Buffer.from(answers[0]?.payload ?? []).toString();
  };
  const answer = await answerTo('listed', () => json(session, 'STREAM.INFO.S'));
  const { total, offset, limit, state } = JSON.parse(answer) as Record<string, unknown>;
  assert.deepEqual([total, offset, limit], [10_001, 9_999, 100_000]);
  assert.deepEqual((state as { subjects: unknown }).subjects, { 's.09999': 1, 's.10000': 1 });
  assert.match(await answerTo('gone', () => json(session, 'STREAM.DELETE.S')), /"err_code":10059/);
  await session.stop();
});

test('an ephemeral consumer nobody uses goes away, with an advisory', async () => {
  const session = await withStream();
  const advisories = session.listen('$JS.EVENT.ADVISORY.CONSUMER.>');
  const { name } = await json(session, 'CONSUMER.CREATE.S', { stream_name: 'S', config: { ack_policy: 'none' } });
  session.clock.advance(5500);
  const answer = await session.request(`$JS.API.CONSUMER.INFO.S.${String(name)}`);
  assert.match(answer.text ?? '', /"err_code":10014/);
  assert.deepEqual(
    advisories.map(({ subject }) => subject.split('.')[4]),
    ['CREATED', 'DELETED'],
  );
  await session.stop();
});

test('when a stream is deleted its consumers are said to be deleted, and then the stream', async () => {
  const session = await withStream();
  await json(session, 'CONSUMER.DURABLE.CREATE.S.C', durable);
  await json(session, 'CONSUMER.CREATE.S.D', { stream_name: 'S', config: { name: 'D', ack_policy: 'none' } });
  const advisories = session.listen('$JS.EVENT.ADVISORY.*.DELETED.>');
  await json(session, 'STREAM.DELETE.S');
  assert.deepEqual(
    advisories.map(({ subject }) => subject.replace('$JS.EVENT.ADVISORY.', '')),
    ['CONSUMER.DELETED.S.C', 'CONSUMER.DELETED.S.D', 'STREAM.DELETED.S'],
  );
  await session.stop();
});

test('a waiting request learns that its consumer is gone', async () => {
  const session = await withStream();
  await json(session, 'CONSUMER.DURABLE.CREATE.S.C', durable);
  const messages = session.listen('in');
  session.broker.publish(0, '$JS.API.CONSUMER.MSG.NEXT.S.C', 'in', undefined, new Uint8Array(0));
  await json(session, 'CONSUMER.DELETE.S.C');
  assert.equal(Buffer.from(messages[0]?.headers ?? []).toString(), 'NATS/1.0 409 Consumer Deleted\r\n\r\n');
  const next = await session.request('$JS.API.CONSUMER.MSG.NEXT.S.C');
  assert.equal(next.unanswered, 'no responders');
  await session.stop();
});

test('direct gets answer with the message and its place', async () => {
  const session = await withStream({ allow_direct: true });
  session.publish('s.a', 'one');
  const direct = await session.request('$JS.API.DIRECT.GET.S.s.a');
  assert.equal(direct.text, 'one');
  assert.match(
    direct.headers ?? '',
    /^NATS\/1\.0\r\nNats-Stream: S\r\nNats-Subject: s\.a\r\nNats-Sequence: 1\r\nNats-Time-Stamp: 2026-/,
  );
  const missing = await session.request('$JS.API.DIRECT.GET.S', '{"seq":9}');
  assert.equal(missing.headers, 'NATS/1.0 404 Message Not Found\r\n\r\n');
  const empty = await session.request('$JS.API.DIRECT.GET.S');
  assert.equal(empty.headers, 'NATS/1.0 408 Empty Request\r\n\r\n');
  await session.stop();
});

test('an interest stream keeps a message until every consumer that wants it has acknowledged it', async () => {
  const session = await withStream({ retention: 'interest' });
  const messagesLeft = async (): Promise<number> =>
    ((await json(session, 'STREAM.INFO.S'))['state'] as { messages: number }).messages;
  session.publish('s.a', 'nobody wants it');
  assert.equal(await messagesLeft(), 0);
  await json(session, 'CONSUMER.DURABLE.CREATE.S.C', durable);
  await json(session, 'CONSUMER.DURABLE.CREATE.S.D', {
    stream_name: 'S',
    config: { durable_name: 'D', ack_policy: 'explicit', filter_subject: 's.b' },
  });
  for (const name of ['a', 'b', 'c']) session.publish(`s.${name}`, name);
  const messages = session.listen('in');
  session.broker.publish(0, '$JS.API.CONSUMER.MSG.NEXT.S.C', 'in', undefined, Buffer.from('5'));
  for (const { reply } of messages) session.broker.publish(0, reply, '', undefined, new Uint8Array(0));
  assert.equal(await messagesLeft(), 1, 'the other consumer still has to get s.b');
  session.broker.publish(0, '$JS.API.CONSUMER.MSG.NEXT.S.D', 'in', undefined, new Uint8Array(0));
  session.broker.publish(0, messages[3]?.reply ?? '', '', undefined, new Uint8Array(0));
  assert.equal(await messagesLeft(), 0);
  await session.stop();
});

test('an interest stream keeps what a consumer may want that the disk did not read', async () => {
  const session = await withStream({ retention: 'interest' });
  for (const name of ['C', 'D'])
    await json(session, `CONSUMER.DURABLE.CREATE.S.${name}`, { ...durable, config: { ...durable.config, durable_name: name } });
  session.publish('s.a', 'for both');
  const store = session.store.streams.get('S');
  assert.ok(store !== undefined);
  store.unreadConsumer = 'D';
  await session.restart();
  const acknowledge = (name: string): void => {
    const messages = session.listen(`in.${name}`);
    session.broker.publish(0, `$JS.API.CONSUMER.MSG.NEXT.S.${name}`, `in.${name}`, undefined, Buffer.from('5'));
    for (const { reply } of messages) session.broker.publish(0, reply, '', undefined, new Uint8Array(0));
  };
  const left = async (): Promise<unknown> => ((await json(session, 'STREAM.INFO.S'))['state'] as { messages: number }).messages;
  acknowledge('C');
  assert.equal(await left(), 1);
  await json(session, 'CONSUMER.DELETE.S.C');
  assert.equal(await left(), 1);
  store.unreadConsumer = '';
  await session.restart();
  acknowledge('D');
  assert.equal(await left(), 0);
  await session.stop();
});

test('a memory stream is gone after a restart', async () => {
  const session = await withStream({ storage: 'memory' });
  session.publish('s.a');
  await session.restart();
  assert.match((await session.request('$JS.API.STREAM.INFO.S')).text ?? '', /"err_code":10059/);
  await session.stop();
});

test('nothing is republished to what is no subject', async () => {
  const session = await withStream({ republish: { src: 's.*', dest: 'out.{{split(1,-)}}' } });
  await json(session, 'STREAM.CREATE.T', {
    name: 'T',
    subjects: ['t.>'],
    republish: { src: 't.*', dest: 'out.a\tb.{{wildcard(1)}}' },
  });
  const messages = session.listen('>');
  session.publish('s.-', 'x');
  session.publish('t.a', 'x');
  session.publish('s.a-b', 'x');
  assert.deepEqual(
    messages.map(({ subject }) => subject).filter((subject) => subject.startsWith('out')),
    ['out.a.b'],
  );
  await session.stop();
});

test('a stream that keeps messages for interest republishes those that somebody is interested in', async () => {
  const session = await withStream({ retention: 'interest', republish: { src: 's.*', dest: 'out.{{wildcard(1)}}' } });
  const messages = session.listen('out.>');
  session.publish('s.a', 'x');
  await json(session, 'CONSUMER.CREATE.S.C', {
    stream_name: 'S',
    config: { name: 'C', ack_policy: 'none', filter_subject: 's.b' },
  });
  for (const name of ['b', 'c']) session.publish(`s.${name}`, 'x');
  await json(session, 'STREAM.CREATE.M', { name: 'M', mirror: { name: 'S', filter_subject: 's.c' } });
  for (const name of ['a', 'c']) session.publish(`s.${name}`, 'x');
  assert.deepEqual(
    messages.map(({ subject }) => subject),
    ['out.b', 'out.c'],
  );
  await session.stop();
});

test('a stream republishes what it stored, with its place', async () => {
  const session = await withStream({ republish: { src: 's.*', dest: 'out.{{wildcard(1)}}' } });
  const out = session.listen('out.>');
  session.publish('s.a', 'one');
  session.publish('s.a', 'two', 'Own: 1');
  assert.deepEqual(
    out.map(({ subject, payload }) => `${subject} ${Buffer.from(payload).toString()}`),
    ['out.a one', 'out.a two'],
  );
  assert.match(
    Buffer.from(out[1]?.headers ?? []).toString(),
    /^NATS\/1\.0\r\nOwn: 1\r\nNats-Stream: S\r\nNats-Subject: s\.a\r\nNats-Sequence: 2\r\nNats-Time-Stamp: [^\r]*\r\nNats-Last-Sequence: 1\r\n\r\n$/,
  );
  await session.stop();
});

test('an atomic batch is stored as a whole when it is committed, and not at all when one of it is refused', async () => {
  const session = await withStream({ allow_atomic: true });
  const acks = session.listen('ack');
  const publish = (sequence: number, more = ''): void => {
    const headers = Buffer.from(`NATS/1.0\r\nNats-Batch-Id: b\r\nNats-Batch-Sequence: ${sequence}\r\n${more}\r\n`);
    session.broker.publish(0, 's.a', sequence === 1 ? '' : 'ack', headers, Buffer.from('x'));
  };
  const stored = async (): Promise<number> => ((await json(session, 'STREAM.INFO.S'))['state'] as { messages: number }).messages;
  publish(1);
  publish(2);
  assert.equal(await stored(), 0);
  publish(3, 'Nats-Batch-Commit: 1\r\n');
  assert.equal(await stored(), 3);
  publish(1);
  publish(2, 'Nats-Expected-Last-Sequence: 1\r\nNats-Batch-Commit: 1\r\n');
  assert.equal(await stored(), 3);
  assert.deepEqual(
    acks.map(({ payload }) => Buffer.from(payload).toString()),
    [
      '',
      '{"stream":"S","seq":3,"batch":"b","count":3}',
      '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 4"},"stream":"S","seq":0}',
    ],
  );
  await session.stop();
});

test('a stream that cannot write any more still shows what it has, and a consumer that cannot be stored is refused', async () => {
  const session = await withStream();
  session.publish('s.a', 'kept');
  const stream = session.store.streams.get('S');
  assert.ok(stream);
  stream.fault = 'no space left';
  stream.holdSyncs = true;
  assert.equal(((await json(session, 'STREAM.INFO.S'))['state'] as { messages: number }).messages, 1);
  assert.ok((await json(session, 'STREAM.MSG.GET.S', { seq: 1 }))['message']);
  stream.writeConsumer = () => {
    throw new StoreFault('ENOSPC', 'no space left');
  };
  const { text } = await session.request('$JS.API.CONSUMER.DURABLE.CREATE.S.C', JSON.stringify(durable));
  assert.match(text ?? '', /"err_code":10104,"description":"error creating store for consumer: no space left"/);
  assert.match((await session.request('$JS.API.CONSUMER.INFO.S.C')).text ?? '', /"err_code":10014/);
  await session.stop();
});

test('an acknowledgement is confirmed only when the state that knows it could be written', async () => {
  const session = await withStream();
  session.publish('s.a');
  await json(session, 'CONSUMER.DURABLE.CREATE.S.C', durable);
  const messages = session.listen('in');
  const confirmed = session.listen('confirmed');
  session.broker.publish(0, '$JS.API.CONSUMER.MSG.NEXT.S.C', 'in', undefined, new Uint8Array(0));
  const stream = session.store.streams.get('S');
  assert.ok(stream);
  const write = stream.writeConsumerState.bind(stream);
  stream.writeConsumerState = () => {
    throw new StoreFault('EIO', 'bad sector');
  };
  session.broker.publish(0, messages[0]?.reply ?? '', 'confirmed', undefined, new Uint8Array(0));
  assert.equal(confirmed.length, 0);
  stream.writeConsumerState = write;
  session.clock.advance(1000);
  await session.restart();
  assert.equal((await json(session, 'CONSUMER.INFO.S.C'))['num_ack_pending'], 0, 'it was written once the disk let it');
  await session.stop();
});

test('requests are audited with who made them; gets of messages only when they fail', async () => {
  const session = await apiSession();
  const audits = session.listen('$JS.EVENT.ADVISORY.API');
  await session.request('$JS.API.STREAM.CREATE.S', '{"name":"S","subjects":["s"]}');
  session.publish('s', 'x');
  await session.request('$JS.API.STREAM.MSG.GET.S', '{"seq":1}');
  await session.request('$JS.API.STREAM.MSG.GET.S', '{"seq":2}');
  const told = audits.map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>);
  assert.deepEqual(
    told.map(({ subject, client }) => [subject, client]),
    [
      ['$JS.API.STREAM.CREATE.S', { acc: '$G' }],
      ['$JS.API.STREAM.MSG.GET.S', { acc: '$G' }],
    ],
  );
  const { text = '' } = await session.request('$JS.API.INFO');
  assert.deepEqual((JSON.parse(text) as { api: unknown }).api, { level: 4, total: 2, errors: 1 });
  await session.stop();
});

test('a purge brings each consumer to the first message of what was purged, whatever its own filter is', async () => {
  const session = await withStream();
  for (const subject of ['s.a', 's.a', 's.b', 's.b']) session.broker.publish(0, subject, 'ack', undefined, Buffer.from('x'));
  const config = { durable_name: 'C', ack_policy: 'explicit', filter_subject: 's.none' };
  const body = JSON.stringify({ stream_name: 'S', config });
  assert.doesNotMatch((await session.request('$JS.API.CONSUMER.CREATE.S.C.s.none', body)).text ?? '', /error/);
  const deliveredAfter = async (purge: object): Promise<number> => {
    await session.request('$JS.API.STREAM.PURGE.S', JSON.stringify(purge));
    const { text = '' } = await session.request('$JS.API.CONSUMER.INFO.S.C');
    return (JSON.parse(text) as { delivered: { stream_seq: number } }).delivered.stream_seq;
  };
  await session.request('$JS.API.STREAM.MSG.DELETE.S', '{"seq":1}');
  assert.equal(await deliveredAfter({ keep: 10 }), 1, 'nothing goes, and the stream begins at 2');
  assert.equal(await deliveredAfter({ filter: 's.>', seq: 3 }), 2);
  assert.equal(await deliveredAfter({ filter: 's.>' }), 4);
  await session.stop();
});

test('a stream does not begin where sequences cannot be counted any more', async () => {
  const session = await withStream();
  for (const seq of ['4503599627370497', '18446744073709551615']) {
    const made = await session.request('$JS.API.STREAM.CREATE.X', `{"name":"X","first_seq":${seq}}`);
    assert.match(made.text ?? '', /"err_code":10052,"description":"first sequence must not be above 4503599627370496"/);
  }
  const acks = session.listen('ack');
  const answers = (): string[] => acks.map(({ payload }) => Buffer.from(payload).toString());
  for (let round = 0; round < 2; round++) {
    const purged = await session.request('$JS.API.STREAM.PURGE.S', '{"seq":18446744073709551615}');
    assert.match(purged.text ?? '', round === 0 ? /"purged":0/ : /"purged":2/);
    for (let n = 0; n < 2; n++) session.broker.publish(0, 's.a', 'ack', undefined, Buffer.from('x'));
  }
  const first = 2 ** 52;
  assert.deepEqual(
    answers(),
    [0, 1, 2, 3].map((n) => `{"stream":"S","seq":${first + n}}`),
  );
  await session.stop();
});

test('deleted sequences are listed as long as there are not more than an answer can hold', async () => {
  const session = await apiSession();
  await json(session, 'STREAM.CREATE.ORIGIN', { name: 'ORIGIN', subjects: ['o'] });
  await json(session, 'STREAM.CREATE.MIRROR', { name: 'MIRROR', mirror: { name: 'ORIGIN' } });
  session.publish('o');
  await json(session, 'STREAM.PURGE.ORIGIN', { seq: 4 });
  session.publish('o');
  const few = await json(session, 'STREAM.INFO.MIRROR', { deleted_details: true });
  assert.deepEqual((few['state'] as { deleted: unknown }).deleted, [2, 3]);
  await json(session, 'STREAM.PURGE.ORIGIN', { seq: 1_000_000_000_000 });
  session.publish('o');
  const many = await session.request('$JS.API.STREAM.INFO.MIRROR', '{"deleted_details":true}');
  assert.match(many.text ?? '', /"err_code":10023,/);
  const info = await json(session, 'STREAM.INFO.MIRROR');
  assert.equal((info['state'] as { num_deleted: unknown }).num_deleted, 999_999_999_997);
  await session.stop();
});

test('too many last messages are refused at the first of them, without looking at all', async () => {
  const session = await apiSession();
  await session.request('$JS.API.STREAM.CREATE.S', '{"name":"S","subjects":["s.>"],"allow_direct":true}');
  for (let n = 0; n < 1_100; n++) session.publish(`s.${n}`);
  const store = session.store.streams.get('S');
  assert.ok(store);
  store.lastSeqs = () => assert.fail('all are looked at');
  const { headers } = await session.request('$JS.API.DIRECT.GET.S', '{"multi_last":["s.1","s.*"]}');
  assert.match(headers ?? '', /413 Too Many Results/);
  await session.stop();
});
