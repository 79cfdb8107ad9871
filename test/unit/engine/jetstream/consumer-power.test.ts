/** The power fails at every step of a consumer's life: what was confirmed as acknowledged is not delivered again. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConsumerState } from '../../../../ts/engine/store/store.ts';
import { held, type Held } from '../../../support/held-jetstream.ts';
import { openTestStore } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { torn } from '../../../support/torn-writes.ts';

/** What a client was told so far. */
class Told {
  consumerIsMade = false;
  readonly confirmed = new Set<number>();

  hear(text: string): void {
    if (text.includes('consumer_create_response')) this.consumerIsMade = true;
    for (const [, seq] of text.matchAll(/MSG ok\.(\d+) /g)) this.confirmed.add(Number(seq));
  }
}

function isAcked({ ackFloor, delivered, pending }: ConsumerState, seq: number): boolean {
  return seq <= ackFloor.stream || (seq <= delivered.stream && !pending.some(({ stream }) => stream === seq));
}

async function check(
  server: Held,
  told: Told,
  how: Parameters<Held['leaveIn']> extends [string, ...infer Rest] ? Rest : never,
): Promise<void> {
  const folder = temporaryFolder();
  server.leaveIn(folder, ...how);
  const after = openTestStore(join(folder, 'js'));
  const [found] = after.store.find('$G');
  assert.equal(found?.problem, undefined);
  if (found !== undefined) {
    const stream = await after.store.recover(after.options('S'));
    const [consumer] = stream.consumers();
    if (told.consumerIsMade) assert.equal(consumer?.problem, undefined);
    assert.equal(consumer !== undefined || !told.consumerIsMade, true, 'a consumer that was promised is there');
    const state = consumer?.state;
    if (told.confirmed.size > 0) assert.ok(state, 'the state of a consumer is readable');
    for (const seq of told.confirmed) assert.ok(state !== undefined && isAcked(state, seq), `${seq} was confirmed`);
    if (state !== undefined) assert.ok(state.delivered.stream <= stream.state.lastSeq, 'nothing is delivered that is not there');
  }
  await after.stop();
  removeFolder(folder);
}

test('confirmed acknowledgements survive a power failure at any step, and torn writes', async (context) => {
  const server = await held(context);
  const told = new Told();
  let seed = 1;
  const steps = async (count: number): Promise<string> => {
    let text = '';
    for (let n = 0; n < count; n++) {
      await check(server, told, ['synced']);
      await check(server, told, ['newest']);
      await check(server, told, ['synced', torn(seed++)]);
      const heard = await server.step();
      told.hear(heard);
      text += heard;
    }
    return text;
  };
  for (const [sid, subject] of ['r', 'd', 'ok.>'].entries()) server.peer.say(`SUB ${subject} ${sid + 1}\r\n`);
  server.ask('$JS.API.STREAM.CREATE.S', JSON.stringify({ name: 'S', subjects: ['s'] }));
  await steps(6);
  const config = { name: 'C', durable_name: 'C', ack_policy: 'explicit', max_ack_pending: 1000 };
  server.ask('$JS.API.CONSUMER.CREATE.S.C', JSON.stringify({ stream_name: 'S', config }));
  await steps(6);
  assert.ok(told.consumerIsMade);
  for (let round = 0; round < 6; round++) {
    for (let n = 0; n < 4; n++) server.ask('s', `message ${n}`);
    await steps(3);
    const delivered = server.ask('$JS.API.CONSUMER.MSG.NEXT.S.C', '{"batch":4,"no_wait":true}', 'd');
    const replies = [...delivered.matchAll(/\$JS\.ACK\.S\.C\.\d+\.(\d+)\.\S+/g)];
    assert.ok(replies.length >= 4);
    for (const [i, [reply, seq]] of replies.entries()) {
      if (i % 4 === 3) continue;
      told.hear(server.ask(reply, ['+ACK', '+TERM', '-NAK'][i % 3] ?? '', i % 3 === 2 ? 'r' : `ok.${seq}`));
      await steps(i);
    }
    await steps(4);
  }
  assert.ok(told.confirmed.size >= 12, `${told.confirmed.size} confirmed`);
});

test('a new consumer has its state on disk, unless its configuration tells where it begins', async (context) => {
  const server = await held(context);
  server.peer.say('SUB r 1\r\n');
  server.ask('$JS.API.STREAM.CREATE.S', JSON.stringify({ name: 'S', subjects: ['s'] }));
  await server.release();
  server.ask('s', 'a message');
  await server.release();
  for (const policy of ['all', 'new']) {
    const config = { name: policy, durable_name: policy, ack_policy: 'explicit', deliver_policy: policy };
    server.ask(`$JS.API.CONSUMER.CREATE.S.${policy}`, JSON.stringify({ stream_name: 'S', config }));
  }
  await server.release();
  const folder = temporaryFolder();
  server.leaveIn(folder, 'newest');
  const after = openTestStore(join(folder, 'js'));
  const stream = await after.store.recover(after.options('S'));

  const states = [...stream.consumers()].map(({ name, state }) => [name, state?.delivered.stream]);
  assert.deepEqual(Object.fromEntries(states), { all: undefined, new: 1 });
  await after.stop();
});
