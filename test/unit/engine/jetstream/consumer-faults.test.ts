/**
 * A disk whose n-th operation fails, alone or with those behind it, in a life of a work queue and its consumers: no client but the one who asked
 * notices, and what was told is there after a power failure, and after a kill.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { failingDisk } from '../../../support/failing-disk.ts';
import { held, type Held } from '../../../support/held-jetstream.ts';
import { keptLog, openTestStore } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';

const RETRY_MS = 1500;
/** Of so many operations each run lets one fail, another one each time. */
const STRIDE = Number(process.env['STRIDE'] ?? 9);

/** What clients were told. */
class Told {
  streamIsMade = false;
  readonly consumers = new Set<string>();
  readonly stored = new Set<number>();
  readonly acked = new Set<number>();
  readonly confirmed = new Set<number>();

  hear(text: string): string {
    if (/stream_create_response","config"/.test(text)) this.streamIsMade = true;
    for (const [, name] of text.matchAll(/consumer_create_response","stream_name":"S","name":"(\w+)"/g))
      this.consumers.add(name ?? '');
    for (const [, seq] of text.matchAll(/\{"stream":"S","seq":(\d+)\}/g)) this.stored.add(Number(seq));
    for (const [, seq] of text.matchAll(/MSG ok\.(\d+) /g)) this.confirmed.add(Number(seq));
    return text;
  }
}

async function life(server: Held, told: Told): Promise<void> {
  const ask = async (subject: string, payload: string, reply?: string): Promise<string> =>
    told.hear(server.ask(subject, payload, reply) + (await server.release()));
  const api = (subject: string, document: object): Promise<string> => ask(`$JS.API.${subject}`, JSON.stringify(document));
  const consume = async (name: string, filter: string): Promise<void> => {
    const config = { name, durable_name: name, ack_policy: 'explicit', filter_subject: filter, max_ack_pending: 100 };
    await api(`CONSUMER.CREATE.S.${name}.${filter}`, { stream_name: 'S', config, action: '' });
  };
  const acknowledge = async (name: string): Promise<void> => {
    const heard = await ask(`$JS.API.CONSUMER.MSG.NEXT.S.${name}`, '{"batch":3,"no_wait":true}', 'd');
    for (const [reply, seq] of heard.matchAll(/\$JS\.ACK\.S\.\w+\.\d+\.(\d+)\.\S+/g)) {
      told.acked.add(Number(seq));
      told.hear(server.ask(reply, '+ACK', Number(seq) % 2 === 0 ? `ok.${seq}` : ''));
    }
    told.hear(await server.release());
  };
  for (const [sid, subject] of ['r', 'd', 'ok.>'].entries()) server.peer.say(`SUB ${subject} ${sid + 1}\r\n`);
  await api('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], retention: 'workqueue' });
  await consume('A', 's.a');
  for (let n = 0; n < 4; n++) await ask('s.a', `message ${n}`);
  await acknowledge('A');
  await consume('B', 's.b');
  for (let n = 0; n < 6; n++) await ask(n % 2 === 0 ? 's.a' : 's.b', `more ${n}`);
  await acknowledge('B');
  server.clock.advance(RETRY_MS);
  told.hear(await server.release());
  await acknowledge('A');
  await api('CONSUMER.DELETE.S.B', {});
  told.consumers.delete('B');
  for (let n = 0; n < 2; n++) await ask('s.a', `last ${n}`);
  await acknowledge('A');
  for (let n = 0; n < 3; n++) {
    server.clock.advance(RETRY_MS);
    told.hear(await server.release());
  }
}

async function check(folder: string, told: Told, what: string): Promise<void> {
  const after = openTestStore(join(folder, 'js'));
  const [found] = after.store.find('$G');
  assert.ok(found !== undefined || !told.streamIsMade, `${what}: the stream is there`);
  if (found !== undefined && told.streamIsMade) {
    assert.equal(found.problem, undefined, what);
    const stream = await after.store.recover(after.options('S', { retention: 'workqueue' }));
    for (const seq of told.stored)
      if (!told.acked.has(seq)) assert.ok(stream.get(seq), `${what}: message ${seq} was acknowledged`);
    const consumers = new Map([...stream.consumers()].map((consumer) => [consumer.name, consumer]));
    for (const name of told.consumers) {
      assert.ok(consumers.has(name), `${what}: consumer ${name} is there`);
      assert.equal(consumers.get(name)?.problem, undefined, what);
    }
    for (const seq of told.confirmed) assert.equal(stream.get(seq), undefined, `${what}: ${seq} was confirmed`);
    for (const seq of told.acked) {
      const state = consumers.get('A')?.state;
      const isOver =
        state !== undefined && seq <= state.delivered.stream && !state.pending.some((message) => message.stream === seq);
      if (isOver && stream.get(seq)?.subject === 's.a') assert.fail(`${what}: ${seq} came back, and nobody gets it`);
    }
  }
  await after.stop();
}

/** Lives once; `fails` says which operations do, counted from when the server has started. */
async function live(context: TestContext, fails: (operation: number) => boolean, what: string): Promise<[Told, number]> {
  const log = keptLog();
  const told = new Told();
  let count = (): number => 0;
  let started = Infinity;
  const server = await held(context, log, 65536, {}, (disk) => {
    const failing = failingDisk(disk, (operation) => operation >= started && fails(operation - started));
    count = failing.count;
    return failing.disk;
  });
  started = count();
  await life(server, told);
  assert.deepEqual(
    log.lines.filter((line) => line.includes('Internal error')),
    [],
    what,
  );
  for (const content of ['synced', 'newest'] as const) {
    const folder = temporaryFolder();
    server.leaveIn(folder, content, (synced, newest) => (content === 'synced' ? synced : newest));
    await check(folder, told, `${what}, ${content}`);
    removeFolder(folder);
  }
  return [told, count() - started];
}

for (const [what, length] of [
  ['one operation', 1],
  ['three operations', 3],
  ['every operation from one on', Infinity],
] as const)
  test(`${what} of the disk may fail while consumers live and acknowledge`, async (context) => {
    const [{ stored, acked, confirmed, consumers }, count] = await live(context, () => false, 'none fails');
    assert.deepEqual([stored.size, acked.size, confirmed.size, [...consumers]], [12, 12, 6, ['A']]);
    for (let from = Math.floor(Math.random() * STRIDE); from < count; from += STRIDE)
      await live(context, (operation) => operation >= from && operation < from + length, `from operation ${from} on`);
  });
