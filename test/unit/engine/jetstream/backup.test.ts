// Backups in one process: the real store below, a broker in memory and a clock that the test moves above. Chunks and their window, how transfers
// end, what a restore refuses, and that a backup shows the stream as it was when it was asked for.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { concatBytes, decodeS2, encodeS2 } from '../../../../ts/core/archive/s2-stream.ts';
import { TarReader } from '../../../../ts/core/archive/tar-reader.ts';
import { tarEnd, tarMemberHead, tarPadding } from '../../../../ts/core/archive/tar-writer.ts';
import { JetStream } from '../../../../ts/engine/jetstream/jetstream.ts';
import type { AccountLimits, InboundMessage } from '../../../../ts/engine/jetstream/ports.ts';
import { nodeCrypto } from '../../../../ts/node/crypto.ts';
import { NodeRandom } from '../../../../ts/node/random.ts';
import type { OpenFile, SyncFailure } from '../../../../ts/ports/disk.ts';
import { HeldDisk } from '../../../support/held-disk.ts';
import { serverLimits, unlimited } from '../../../support/jetstream-limits.ts';
import { openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeBroker } from './fake-broker.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Answer {
  readonly error?: { readonly err_code: number; readonly description: string };
  readonly deliver_subject?: string;
  readonly state?: { readonly messages: number; readonly last_seq: number };
  readonly config?: { readonly name: string };
}

interface Served {
  readonly root: string;
  readonly server: TestStore;
  readonly broker: FakeBroker;
  readonly clock: FakeClock;
  ask(subject: string, request?: unknown): Promise<Answer>;
  send(subject: string, bytes: Uint8Array): Promise<string>;
  append(stream: string, ...texts: readonly string[]): Promise<void>;
  texts(stream: string): string[];
}

/** Lets go of what it holds when everything that was unpacked is synced and whoever waited for it has gone on. */
class HeldUntilUnpacked extends HeldDisk {
  override sync(files: readonly OpenFile[], done: (failures: readonly SyncFailure[]) => void): void {
    const isLast = files.some(({ path }) => /__snapshots__.[^/]+$/.test(path));
    super.sync(files, (failures) => {
      done(failures);
      if (isLast) setImmediate(() => this.release());
    });
  }
}

async function serve(context: TestContext, limits: AccountLimits = unlimited, disk?: HeldDisk): Promise<Served> {
  const root = temporaryFolder();
  const server = openTestStore(root, disk);
  const broker = new FakeBroker();
  const clock = new FakeClock();
  const settings = {
    ...{ serverName: 'one', domain: '', strict: true, maxPayloadBytes: 1024 * 1024 },
    limits: serverLimits({ perStream: 0, total: 0, messages: 1000, timeoutMs: 10_000 }),
  };
  const jetstream = new JetStream(
    { door: broker, store: server.store, clock, random: new NodeRandom(), log: server.log, crypto: nodeCrypto },
    settings,
  );
  const account = await jetstream.enable('$G', server.account, limits);
  context.after(() => jetstream.stop());
  let inboxes = 0;
  const send = (subject: string, bytes: Uint8Array): Promise<string> =>
    new Promise((resolve) => {
      const inbox = `_INBOX.${++inboxes}`;
      const once = broker.subscribe(0, inbox, ({ payload }) => {
        once.cancel();
        resolve(decoder.decode(payload));
      });
      server.turn(() => broker.publish(0, subject, inbox, undefined, bytes));
    });
  const stream = (name: string) => account.streams.get(name)?.store ?? assert.fail(`no stream ${name}`);
  return {
    ...{ root, server, broker, clock, send },
    ask: async (subject, request = '') =>
      JSON.parse(await send(`$JS.API.${subject}`, encoder.encode(request === '' ? '' : JSON.stringify(request)))) as Answer,
    append: async (name, ...texts) => {
      const store = stream(name);
      server.turn(() => {
        for (const text of texts) store.append({ subject: `${name}.x`, payload: encoder.encode(text) });
      });
      await synced(store);
    },
    texts: (name) => {
      const store = stream(name);
      const found: string[] = [];
      for (let seq = 1; seq <= store.state.lastSeq; seq++)
        found.push(decoder.decode(store.get(seq)?.payload ?? encoder.encode('-')));
      return found;
    },
  };
}

interface Received {
  readonly bytes: Uint8Array;
  readonly reply: string;
  readonly status: string;
}

/** Which advisories of streams are sent from now on. */
function advisories({ broker }: Served): string[] {
  const told: string[] = [];
  broker.subscribe(0, '$JS.EVENT.ADVISORY.STREAM.>', ({ subject }) => told.push(subject.split('.').slice(4).join('.')));
  return told;
}

/** Collects what comes to a subject; the empty message ends it. */
function collect({ broker }: Served, subject: string, acknowledge: boolean): { got: Received[]; ended: Promise<void> } {
  const got: Received[] = [];
  const ended = new Promise<void>((resolve) => {
    const listening = broker.subscribe(0, subject, ({ payload, reply, headers }: InboundMessage) => {
      got.push({ bytes: payload.slice(), reply, status: decoder.decode(headers).split('\r\n')[0]?.slice(9) ?? '' });
      if (acknowledge && reply !== '') broker.publish(0, reply, '', undefined, new Uint8Array(0));
      if (payload.length > 0) return;
      listening.cancel();
      resolve();
    });
  });
  return { got, ended };
}

async function backup(served: Served, stream: string, request: Record<string, unknown> = {}): Promise<Received[]> {
  const { got, ended } = collect(served, 'backup.here', true);
  const answer = await served.ask(`STREAM.SNAPSHOT.${stream}`, { deliver_subject: 'backup.here', ...request });
  assert.equal(answer.error, undefined, JSON.stringify(answer));
  served.clock.advance(1000);
  await ended;
  return got;
}

const archiveOf = (got: readonly Received[]): Uint8Array => concatBytes(got.map(({ bytes }) => bytes));

async function restore(served: Served, config: Record<string, unknown>, archive: Uint8Array, chunk = 1000): Promise<Answer> {
  const begun = await served.ask(`STREAM.RESTORE.${String(config['name'])}`, { config, state: { messages: 1 } });
  const { deliver_subject: to = '' } = begun;
  if (to === '') return begun;
  for (let at = 0; at < archive.length; at += chunk) {
    const answer = await served.send(to, archive.subarray(at, at + chunk));
    if (answer !== '') return JSON.parse(answer) as Answer;
  }
  return JSON.parse(await served.send(to, new Uint8Array(0))) as Answer;
}

function members(archive: Uint8Array): Map<string, Uint8Array> {
  const out = new Map<string, Uint8Array>();
  let name = '';
  let parts: Uint8Array[] = [];
  const reader = new TarReader({
    begin: (given) => {
      name = given;
      parts = [];
    },
    data: (bytes) => parts.push(bytes.slice()),
    finish: () => out.set(name, concatBytes(parts)),
  });
  reader.push(decodeS2(archive));
  reader.end();
  return out;
}

function pack(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts = [...files].flatMap(([name, bytes]) => [...tarMemberHead(name, bytes.length, 0), bytes, tarPadding(bytes.length)]);
  return encodeS2(concatBytes([...parts, tarEnd()]));
}

const config = { name: 'S', subjects: ['S.>'], storage: 'file', max_msgs: 50 };

async function filled(context: TestContext, disk?: HeldDisk): Promise<Served> {
  const served = await serve(context, unlimited, disk);
  await served.ask('STREAM.CREATE.S', config);
  await served.ask('CONSUMER.DURABLE.CREATE.S.C', {
    stream_name: 'S',
    config: { durable_name: 'C', ack_policy: 'explicit', deliver_policy: 'all' },
  });
  await served.append('S', ...Array.from({ length: 40 }, (_, n) => `message ${n} ${Math.imul(n + 1, 0x9e3779b1) >>> 0}`));
  return served;
}

describe('a backup', () => {
  test('is one chunk when it fits, ended by a plain empty message', async (context) => {
    const got = await backup(await filled(context), 'S');
    assert.deepEqual(
      got.map(({ reply, status }) => [reply, status]),
      [
        ['', ''],
        ['', ''],
      ],
    );
    const names = [...members(archiveOf(got)).keys()];
    assert.deepEqual(names, ['meta.inf', 'meta.sum', 'msgs/1.blk', 'obs/C/meta.inf', 'obs/C/meta.sum', 'obs/C/o.dat']);
  });

  test('leaves the consumers out when it is asked to', async (context) => {
    const got = await backup(await filled(context), 'S', { no_consumers: true });
    assert.deepEqual([...members(archiveOf(got)).keys()], ['meta.inf', 'meta.sum', 'msgs/1.blk']);
  });

  test('in chunks numbers them and ends with status 204', async (context) => {
    const got = await backup(await filled(context), 'S', { chunk_size: 1024 });
    assert.ok(got.length > 2, `${got.length} messages`);
    assert.equal(got.at(-1)?.status, '204');
    for (const [index, { bytes, reply }] of got.slice(0, -2).entries()) {
      assert.equal(bytes.length, 1024);
      assert.match(reply, new RegExp(`^\\$JS\\.SNAPSHOT\\.ACK\\.S\\.\\w{22}\\.1024\\.${index + 1}$`));
    }
  });

  test('waits when the window is full, and gives up when nobody answers', async (context) => {
    const served = await filled(context);
    const { got, ended } = collect(served, 'backup.here', false);
    const asked = { deliver_subject: 'backup.here', chunk_size: 1024, window_size: 1024 };
    await served.ask('STREAM.SNAPSHOT.S', asked);
    served.clock.advance(1000);
    while (got.length === 0) await nextTurn();
    served.clock.advance(4900);
    assert.equal(got.length, 1, 'a window of one chunk');
    const again = await served.ask('STREAM.SNAPSHOT.S', asked);
    assert.equal(again.error?.description, 'snapshot failed: snapshot in progress');
    served.clock.advance(200);
    await ended;
    assert.equal(got.at(-1)?.status, '408 No Flow Response');
    const { got: all } = { got: await backup(served, 'S') };
    assert.equal(all.length, 2, 'the next one is not in its way');
  });

  test('begins when the client subscribes after the answer', async (context) => {
    const served = await filled(context);
    served.broker.subscribe(0, 'backup.*', () => {});
    await served.ask('STREAM.SNAPSHOT.S', { deliver_subject: 'backup.here' });
    served.clock.advance(500);
    const { got, ended } = collect(served, 'backup.here', true);
    served.clock.advance(500);
    await ended;
    assert.equal(got.length, 2);
  });

  test('is of the moment when it was asked for', async (context) => {
    const served = await filled(context);
    const before = served.texts('S');
    const { got, ended } = collect(served, 'backup.here', true);
    await served.ask('STREAM.SNAPSHOT.S', { deliver_subject: 'backup.here' });
    await served.ask('STREAM.PURGE.S');
    await served.append('S', 'later');
    served.clock.advance(1000);
    await ended;
    const other = await serve(context);
    assert.equal((await restore(other, config, archiveOf(got))).error, undefined);
    assert.deepEqual(other.texts('S'), before);
  });

  test('does not bring back what limits removed, whatever the limits are where it is restored', async (context) => {
    const served = await filled(context);
    await served.append('S', ...Array.from({ length: 30 }, (_, n) => `more ${n}`));
    const other = await serve(context);
    const answer = await restore(other, { ...config, max_msgs: -1 }, archiveOf(await backup(served, 'S')));
    assert.deepEqual([answer.state?.messages, answer.state?.last_seq], [50, 70]);
    assert.deepEqual(other.texts('S'), served.texts('S'));
  });

  test('is refused for a bad request', async (context) => {
    const served = await filled(context);
    await served.ask('STREAM.CREATE.M', { name: 'M', subjects: ['M.>'], storage: 'memory' });
    const cases: readonly (readonly [stream: string, request: unknown, code: number])[] = [
      ['S', '', 10003],
      ['S', {}, 10003],
      ['S', { deliver_subject: 'a.*' }, 10015],
      ['S', { deliver_subject: 'a', other: 1 }, 10025],
      ['NONE', { deliver_subject: 'a' }, 10059],
      ['M', { deliver_subject: 'a' }, 10064],
    ];
    for (const [stream, request, code] of cases) {
      const { error } = await served.ask(`STREAM.SNAPSHOT.${stream}`, request);
      assert.equal(error?.err_code, code, JSON.stringify(request));
    }
  });
});

describe('a restore', () => {
  test('brings messages and consumers back, and leaves nothing unpacked behind', async (context) => {
    const served = await filled(context);
    const other = await serve(context);
    const answer = await restore(other, config, archiveOf(await backup(served, 'S')), 100);
    assert.equal(answer.error, undefined, JSON.stringify(answer));
    assert.deepEqual(other.texts('S'), served.texts('S'));
    const consumer = await other.ask('CONSUMER.INFO.S.C');
    assert.equal((consumer as { num_pending?: number }).num_pending, 40);
    assert.deepEqual(readdirSync(join(other.root, '$G', '__snapshots__')), []);
  });

  test('takes a tar with stored chunks and with members it does not know', async (context) => {
    const served = await filled(context);
    const files = members(archiveOf(await backup(served, 'S')));
    files.set('msgs/7.idx', encoder.encode('old')).set('thw.db', new Uint8Array(3));
    const other = await serve(context);
    assert.equal((await restore(other, config, pack(files))).error, undefined);
    assert.deepEqual(readdirSync(join(other.root, '$G', 'streams', 'S', 'msgs')), ['1.blk']);
  });

  test('refuses what is no backup of this stream, and leaves nothing', async (context) => {
    const served = await filled(context);
    const good = archiveOf(await backup(served, 'S'));
    const files = (change: (files: Map<string, Uint8Array>) => unknown): Uint8Array => {
      const all = members(good);
      change(all);
      return pack(all);
    };
    const cases: readonly (readonly [what: string, archive: Uint8Array, says: RegExp, name?: string])[] = [
      ['nothing', new Uint8Array(0), /the stream is empty/],
      ['noise', encoder.encode('no archive at all'), /corrupt input/],
      ['a part', good.subarray(0, good.length / 2), /ends within/],
      ['no configuration', files((all) => all.delete('meta.inf')), /no meta\.inf/],
      ['another sum', files((all) => all.set('meta.sum', encoder.encode('0'.repeat(16)))), /checksum/],
      ['half a consumer', files((all) => all.delete('obs/C/meta.sum')), /consumer 'C'/],
      ['a way out', files((all) => all.set('msgs/../../../out', new Uint8Array(1))), /does not name a file/],
      ['an absolute name', files((all) => all.set('/tmp/out', new Uint8Array(1))), /does not name a file/],
      ['a failed backup', files((all) => all.set('errors.txt', new Uint8Array(1))), /it failed/],
      ...['4026531841', '4294967297', '99999999999999999999'].map(
        (number) =>
          [
            `block ${number}`,
            files((all) => {
              all.set(`msgs/${number}.blk`, all.get('msgs/1.blk') ?? assert.fail('no block'));
              all.delete('msgs/1.blk');
            }),
            /is not a block file/,
          ] as const,
      ),
      ['another stream', good, /names do not match/, 'OTHER'],
    ];
    const other = await serve(context);
    for (const [what, archive, says, name = 'S'] of cases) {
      const { error } = await restore(other, { ...config, name }, archive);
      assert.equal(error?.err_code, 10062, what);
      assert.match(error?.description ?? '', says, what);
      assert.deepEqual(readdirSync(join(other.root, '$G', '__snapshots__')), [], what);
    }
    assert.equal((await other.ask('STREAM.INFO.S')).error?.err_code, 10059);
    assert.equal((await restore(other, config, good)).error, undefined, 'and takes a good one then');
  });

  test('is refused for a name or subjects in use, and for a bad request', async (context) => {
    const served = await filled(context);
    const good = archiveOf(await backup(served, 'S'));
    assert.equal((await served.ask('STREAM.RESTORE.S', { config, state: {} })).error?.err_code, 10130);
    assert.equal((await served.ask('STREAM.RESTORE.R', { config, state: {} })).error?.err_code, 10056);
    assert.deepEqual((await served.ask('STREAM.RESTORE.R')).deliver_subject, '');
    const other = await serve(context);
    await other.ask('STREAM.CREATE.T', { name: 'T', subjects: ['S.>'] });
    assert.equal((await restore(other, config, good)).error?.err_code, 10065);
  });

  test('waits until a deleted stream of its name has left the disk', async (context) => {
    const disk = new HeldUntilUnpacked();
    const served = await filled(context, disk);
    const good = archiveOf(await backup(served, 'S'));
    const texts = served.texts('S');
    disk.holding = true;
    const updated = served.ask('STREAM.UPDATE.S', { ...config, description: 'the last of it' });
    const deleted = served.ask('STREAM.DELETE.S');
    disk.holding = false;
    const restored = restore(served, config, good);
    for (const answer of await Promise.all([updated, deleted, restored])) {
      assert.equal(answer.error, undefined, JSON.stringify(answer));
    }
    assert.deepEqual(served.texts('S'), texts);
  });

  test('does not outgrow the account', async (context) => {
    const good = archiveOf(await backup(await filled(context), 'S'));
    const small = await serve(context, { ...unlimited, maxStorage: 3000 });
    assert.equal((await restore(small, config, good)).error?.err_code, 10047);
    assert.deepEqual(readdirSync(join(small.root, '$G', '__snapshots__')), []);
  });

  test('of much content in one small chunk lets other work go on in between', async (context) => {
    const served = await filled(context);
    const files = members(archiveOf(await backup(served, 'S')));
    files.set('unknown', new Uint8Array(12 << 20));
    const archive = pack(files);
    const other = await serve(context);
    const { deliver_subject: to = '' } = await other.ask('STREAM.RESTORE.S', { config, state: {} });
    let answered = false;
    const acknowledged = other.send(to, archive).then(() => (answered = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(answered, false, 'it is not done in one turn');
    other.clock.advance(0);
    await acknowledged;
    assert.equal((JSON.parse(await other.send(to, new Uint8Array(0))) as Answer).error, undefined);
    assert.deepEqual(other.texts('S'), served.texts('S'));
  });

  test('that stalls is given up, without an advisory', async (context) => {
    const served = await serve(context);
    const told = advisories(served);
    const { deliver_subject: to = '' } = await served.ask('STREAM.RESTORE.S', { config, state: {} });
    assert.equal(readdirSync(join(served.root, '$G', '__snapshots__')).length, 1);
    served.clock.advance(5000);
    assert.deepEqual(readdirSync(join(served.root, '$G', '__snapshots__')), []);
    assert.equal(served.broker.hasInterest(0, to), false);
    assert.deepEqual(told, ['RESTORE_CREATE.S']);
  });

  test('ends at a chunk that cannot be answered', async (context) => {
    const served = await serve(context);
    const told = advisories(served);
    const { deliver_subject: to = '' } = await served.ask('STREAM.RESTORE.S', { config, state: {} });
    served.server.turn(() => served.broker.publish(0, to, '', undefined, encoder.encode('chunk')));
    assert.deepEqual(readdirSync(join(served.root, '$G', '__snapshots__')), []);
    assert.equal(served.broker.hasInterest(0, to), false);
    assert.deepEqual(told, ['RESTORE_CREATE.S', 'RESTORE_COMPLETE.S']);
  });
});
