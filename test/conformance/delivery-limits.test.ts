/**
 * Delivery under pressure: a stalled receiver is dropped as a slow consumer and nobody else is, a receiver that merely reads slowly is not,
 * a fan-out far larger than its input stays within a memory budget, and weighted mappings share out by their weights.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { skipWithout } from '../support/peers.ts';
import { serverFor, type ServerKind, type ServerProcess } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';

const kinds: ReadonlyArray<readonly [ServerKind, string | false]> = [
  ['slipstream', false],
  ['nats-server', skipWithout('nats-server')],
];

async function quiet(server: ServerProcess, verbs = ''): Promise<WireClient> {
  const { client } = await WireClient.greeted(server.port);
  await client.write(`CONNECT {"verbose":false,"pedantic":false}\r\n${verbs}`);
  assert.equal(await client.sync(), '');
  return client;
}

/** The largest resident memory the process had, in MiB. */
function peakMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** KiB of publishes in the fan-out; 1024 is the whole of it, at 95 million deliveries. */
const fanOutKiB = Number(process.env['FAN_OUT_KIB'] ?? 192);
const fanOutBudgetMiB = 320;

const kilobyte = `PUB flood 1024\r\n${'x'.repeat(1024)}\r\n`;

for (const [kind, skip] of kinds) {
  describe(`delivery limits on ${kind}`, { skip }, () => {
    test('a receiver that stops reading is dropped at max_pending, others are served', async (t) => {
      const server = await serverFor(t, kind, { config: 'max_pending: 1MB\nwrite_deadline: "30s"\n' });
      const stalled = await quiet(server, 'SUB flood 1\r\n');
      const other = await quiet(server, 'SUB other 1\r\n');
      const publisher = await quiet(server);
      stalled.pause();
      for (let sent = 0; sent < 32 && !/Slow Consumer/i.test(server.log); sent++) {
        await publisher.write(kilobyte.repeat(1024));
        await publisher.sync();
      }
      await server.waitForLog(/Slow Consumer/i);
      await publisher.write('PUB other 2\r\nok\r\n');
      await publisher.sync();
      assert.equal((await other.sync()).replace('PING\r\n', ''), 'MSG other 1 2\r\nok\r\n');
      for (const client of [stalled, other, publisher]) client.destroy();
    });

    const flood = async (server: ServerProcess): Promise<WireClient[]> => {
      const stalled = await quiet(server, 'SUB flood 1\r\n');
      const publisher = await quiet(server);
      stalled.pause();
      await publisher.write(kilobyte.repeat(24 * 1024));
      return [stalled, publisher];
    };

    test('a receiver that takes nothing within write_deadline is dropped', async (t) => {
      const server = await serverFor(t, kind, { config: 'write_deadline: "300ms"\nmax_pending: 1GB\n' });
      const clients = await flood(server);
      await server.waitForLog(/Slow Consumer Detected: WriteDeadline of 300ms exceeded with \d+ chunks of \d+ total bytes\./);
      await (clients[1] as WireClient).sync();
      assert.doesNotMatch(server.log, /Slow Consumer State/);
      for (const client of clients) client.destroy();
    });

    test('with write_timeout retry it is told twice, then dropped', async (t) => {
      const server = await serverFor(t, kind, {
        config: 'write_deadline: "300ms"\nwrite_timeout: retry\nmax_pending: 1GB\n',
      });
      const clients = await flood(server);
      await server.waitForLog(/Slow Consumer Detected: WriteDeadline of 300ms exceeded with/);
      await server.waitForLog(/Slow Consumer State: WriteDeadline of 300ms exceeded with/);
      for (const client of clients) client.destroy();
    });

    test('with write_timeout retry it is kept when it reads on in time', async (t) => {
      const server = await serverFor(t, kind, {
        config: 'write_deadline: "1s"\nwrite_timeout: retry\nmax_pending: 1GB\n',
      });
      const [stalled, publisher] = (await flood(server)) as [WireClient, WireClient];
      await server.waitForLog(/Slow Consumer Detected: WriteDeadline of 1s exceeded with/);
      stalled.resume();
      await stalled.skip(24 * 1024 * ('MSG flood 1 1024\r\n'.length + 1026));
      await server.waitForLog(/Slow Consumer Recovered: Flush took \d+\.\d{3}s with \d+ chunks of \d+ total bytes\./);
      for (const client of [stalled, publisher]) client.destroy();
    });

    test('a receiver that reads slowly but steadily keeps everything', async (t) => {
      const server = await serverFor(t, kind, { config: 'max_pending: 8MB\n' });
      const slow = await quiet(server, 'SUB flood 1\r\n');
      const publisher = await quiet(server);
      const messages = 16 * 1024;
      const publishing = (async () => {
        for (let sent = 0; sent < messages; sent += 512) await publisher.write(kilobyte.repeat(512));
      })();
      let read = 0;
      for (const wanted = messages * 'MSG flood 1 1024\r\n'.length + messages * 1026; read < wanted;) {
        const step = Math.min(256 * 1024, wanted - read);
        read += (await slow.bytes(step)).length;
        slow.pause();
        await delay(2);
        slow.resume();
      }
      await publishing;
      assert.doesNotMatch(server.log, /Slow Consumer/i);
      for (const client of [slow, publisher]) client.destroy();
    });

    test('weights of a mapping share the messages out', async (t) => {
      const config = 'mappings { foo: [ { destination: one, weight: 80% }, { destination: two, weight: 20% } ] }\n';
      const server = await serverFor(t, kind, { config });
      const client = await quiet(server, 'SUB * 1\r\n');
      await client.write('PUB foo 0\r\n\r\n'.repeat(1000));
      const got = (await client.sync()).split('\r\n').filter((line) => line.startsWith('MSG '));
      assert.equal(got.length, 1000);
      const ones = got.filter((line) => line === 'MSG one 1 0').length;
      assert.equal(got.filter((line) => line === 'MSG two 1 0').length, 1000 - ones);
      assert.ok(ones > 720 && ones < 880, `${ones} of 1000 for a weight of 80%`);
      client.destroy();
    });
  });
}

test(
  `${fanOutKiB} KiB of tiny publishes to 1,000 receivers arrive whole within ${fanOutBudgetMiB} MiB`,
  { timeout: 300_000 },
  async (t) => {
    const server = await serverFor(t, 'slipstream');
    const receivers = await Promise.all(Array.from({ length: 1000 }, () => quiet(server, 'SUB f 1\r\n')));
    const publisher = await quiet(server);
    const messages = Math.floor((fanOutKiB * 1024) / 'PUB f 0\r\n\r\n'.length);
    const wanted = messages * 'MSG f 1 0\r\n\r\n'.length;
    const received = Promise.all(receivers.map((receiver) => receiver.skip(wanted, 250_000)));
    await publisher.write('PUB f 0\r\n\r\n'.repeat(messages));
    await received;
    const peak = peakMiB(server.pid);
    for (const client of [...receivers, publisher]) client.destroy();
    assert.ok(peak < fanOutBudgetMiB, `peak resident memory ${peak.toFixed(0)} MiB`);
  },
);
