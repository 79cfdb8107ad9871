/** Publishing until the kernel's memory ends: publishes are refused, everybody else goes on, and there is room again when messages go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../../ts/app/silent-log.ts';
import { held, type Held } from '../../../support/held-jetstream.ts';
import { apiSession } from './session.ts';

const pages = 400;
const refused = '"err_code":10023';
const config = JSON.stringify({ name: 'S', subjects: ['m.>'], storage: 'file', allow_direct: true });

async function begin({ ask, peer, release }: Held): Promise<void> {
  peer.say('SUB r 1\r\n');
  ask('$JS.API.STREAM.CREATE.S', config);
  assert.match(await release(), /"did_create":true/);
}

/** Publishes by the thousand, with a sync now and then, until one is refused; how many thousands there were. */
async function fill({ peer, release }: Held, line: (n: number) => string): Promise<number> {
  for (let thousands = 0; thousands < 1000; thousands++) {
    peer.say(Array.from({ length: 1000 }, (_, n) => line(thousands * 1000 + n)).join(''));
    if (peer.heard().includes(refused)) return thousands;
    if (thousands % 10 === 9) assert.ok(!(await release()).includes('error'));
  }
  return assert.fail('nothing was refused');
}

const plain = (n: number): string => `PUB m.${n}.some.subject r 4\r\ndata\r\n`;
const header = 'NATS/1.0\r\nNats-Expected-Stream: S\r\n\r\n';
const judged = (n: number): string => `HPUB m.${n}.some.subject r ${header.length} ${header.length + 4}\r\n${header}data\r\n`;
const withId = (n: number): string => {
  const id = `NATS/1.0\r\nNats-Msg-Id: number-${n}\r\n\r\n`;
  return `HPUB m.one r ${id.length} ${id.length + 4}\r\n${id}data\r\n`;
};

for (const [what, line] of Object.entries({ plain, judged, withId })) {
  test(`publishes are refused when the memory is used up (${what}), and taken again when there is room`, async (context) => {
    const errors: string[] = [];
    const server = await held(context, { ...silentLog, error: (text) => errors.push(text) }, pages);
    await begin(server);
    assert.ok((await fill(server, line)) > 10);
    server.peer.say('PING\r\n');
    assert.match(server.peer.heard(), /PONG/);
    await server.release();
    assert.match(server.ask('$JS.API.STREAM.MSG.GET.S', '{"seq":77}'), /"seq":77/, 'what is stored is read');
    server.ask('$JS.API.STREAM.PURGE.S', '');
    assert.match(await server.release(), /"success":true/);
    // Ids outlive their messages, until the window has passed.
    if (line === withId) server.clock.advance(120_001);
    server.ask('m.again', 'data');
    assert.match(await server.release(), /"stream":"S", ?"seq":/);
    assert.deepEqual(errors, []);
  });
}

test('what stays in memory is not made when it is used up', async () => {
  const session = await apiSession();
  await session.request('$JS.API.STREAM.CREATE.S', config);
  session.store.isMemoryShort = true;
  const consumer = JSON.stringify({ stream_name: 'S', config: { ack_policy: 'explicit', durable_name: 'C' } });
  for (const [subject, payload] of [
    ['STREAM.CREATE.T', JSON.stringify({ name: 'T', subjects: ['t'], storage: 'file' })],
    ['CONSUMER.CREATE.S', consumer],
    ['CONSUMER.DURABLE.CREATE.S.C', consumer],
  ] as const) {
    const { text } = await session.request(`$JS.API.${subject}`, payload);
    assert.ok(text?.includes(refused), subject);
  }
  assert.match((await session.request('$JS.API.STREAM.INFO.S')).text ?? '', /"name":"S"/);
  session.store.isMemoryShort = false;
  assert.match((await session.request('$JS.API.CONSUMER.DURABLE.CREATE.S.C', consumer)).text ?? '', /"name":"C"/);
  await session.stop();
});
