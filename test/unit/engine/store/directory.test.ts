/** What lies beside the blocks: metadata that survives a crash between its two files, and directories that are left alone. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoreFault } from '../../../../ts/engine/store/store.ts';
import { consumerStateBytes } from '../../../support/consumer-state.ts';
import { openTestStore, synced } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

test('metadata is believed with its checksum only, also when a crash came between the two renames', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = server.store.create(server.options('S'), '{"name":"S"}');
  await synced(stream);
  const path = join(root, '$G/streams/S');
  assert.deepEqual(server.store.find('$G'), [{ name: 'S', meta: '{"name":"S"}' }]);

  const older = readFileSync(join(path, 'meta.sum'));
  stream.writeMeta('{"name":"S","description":"new"}');
  await synced(stream);
  renameSync(join(path, 'meta.sum'), join(path, 'meta.sum.tmp'));
  writeFileSync(join(path, 'meta.sum'), older);
  assert.deepEqual(server.store.find('$G'), [{ name: 'S', meta: '{"name":"S","description":"new"}' }]);

  writeFileSync(join(path, 'meta.inf'), '{"name":"X"}');
  assert.match(server.store.find('$G')[0]?.problem ?? '', /checksum/);
  rmSync(join(path, 'meta.inf'));
  assert.match(server.store.find('$G')[0]?.problem ?? '', /missing/);
  await server.stop();
});

test('a stream that cannot be opened is left as it is', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = server.store.create(server.options('S'), '{}');
  server.turn(() => {
    stream.append({ subject: 'a', payload: new Uint8Array(10) });
  });
  await synced(stream);
  await stream.stop();
  const blocks = join(root, '$G/streams/S/msgs');
  mkdirSync(join(blocks, '2.blk'));
  const before = readFileSync(join(blocks, '1.blk'));
  await assert.rejects(server.store.recover(server.options('S')), (error: unknown) => {
    return error instanceof StoreFault && /2.blk is not a block file/.test(error.message);
  });
  assert.deepEqual(readFileSync(join(blocks, '1.blk')), before);
  assert.throws(() => server.store.create(server.options('S'), '{}'), /has a stream already/);
  await server.stop();
});

test('what a purge of nats-server left half done is ended', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = server.store.create(server.options('S'), '{}');
  server.turn(() => {
    for (let n = 0; n < 5; n++) stream.append({ subject: 'a', payload: new Uint8Array(10) });
  });
  await synced(stream);
  server.turn(() => void stream.purge({}));
  await synced(stream);
  await stream.stop();
  const path = join(root, '$G/streams/S');
  mkdirSync(join(path, '__new_msgs__'));
  renameSync(join(path, 'msgs/2.blk'), join(path, '__new_msgs__/2.blk'));
  writeFileSync(join(path, 'msgs/1.blk'), 'purged messages');
  const again = await server.store.recover(server.options('S'));
  assert.deepEqual([again.state.messages, again.state.firstSeq, again.state.lastSeq], [0, 6, 5]);
  await server.stop();
});

test('consumers come back with their state', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = server.store.create(server.options('S'), '{}');
  const state = {
    ackFloor: { consumer: 2, stream: 3 },
    delivered: { consumer: 5, stream: 9 },
    pending: [{ stream: 7, consumer: 4, seconds: 1_795_000_000 }],
    redelivered: [{ stream: 7, count: 2 }],
  };
  stream.writeConsumer('C', '{"Name":"C"}');
  stream.writeConsumerState('C', consumerStateBytes(state), false);
  stream.writeConsumer('NEW', '{"Name":"NEW"}');
  await synced(stream);
  const found = [...stream.consumers()].sort((a, b) => a.name.localeCompare(b.name));
  assert.deepEqual(found, [
    { name: 'C', meta: '{"Name":"C"}', state },
    { name: 'NEW', meta: '{"Name":"NEW"}' },
  ]);
  stream.removeConsumer('C');
  assert.deepEqual([...stream.consumers()], [{ name: 'NEW', meta: '{"Name":"NEW"}' }]);
  await server.stop();
});

test('a state that cannot be read is kept beside the new one, and told', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = server.store.create(server.options('S'), '{}');
  stream.writeConsumer('C', '{"Name":"C"}');
  await synced(stream);
  const path = join(root, '$G/streams/S/obs/C');
  for (const damagedState of ['o.dat.damaged', 'o.dat.damaged.2']) {
    writeFileSync(join(path, 'o.dat'), damagedState);
    assert.deepEqual([...stream.consumers()], [{ name: 'C', meta: '{"Name":"C"}', damagedState }]);
    assert.equal(readFileSync(join(path, damagedState), 'utf8'), damagedState);
    assert.deepEqual([...stream.consumers()], [{ name: 'C', meta: '{"Name":"C"}' }]);
  }
  await server.stop();
});

test('a state that a crash has left of a consumer is not that of a new one with its name', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = server.store.create(server.options('S'), '{}');
  const seen = { consumer: 5, stream: 9 };
  stream.writeConsumer('C', '{"Name":"C"}');
  stream.writeConsumerState('C', consumerStateBytes({ ackFloor: seen, delivered: seen, pending: [], redelivered: [] }), false);
  await synced(stream);
  for (const name of ['meta.inf', 'meta.sum']) rmSync(join(root, '$G/streams/S/obs/C', name));
  stream.writeConsumer('C', '{"Name":"C"}');
  await synced(stream);
  assert.deepEqual([...stream.consumers()], [{ name: 'C', meta: '{"Name":"C"}' }]);
  await server.stop();
});
