/**
 * Ten thousand connections come and go in every way a connection can end; afterwards the server counts none, keeps no subscription,
 * has not grown, and stops cleanly. CONNECTIONS chooses how many.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { awaitMonitoring, monitoring } from '../support/monitoring.ts';
import { ServerProcess } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';

const total = Number(process.env['CONNECTIONS'] ?? 10_000);
const atOnce = 250;

/** How a connection may end. */
const endings: ReadonlyArray<(client: WireClient) => Promise<void>> = [
  (client) => client.close(),
  async (client) => client.destroy(),
  async (client) => {
    await client.write('UNSUB 1\r\n');
    await client.close();
  },
  async (client) => {
    await client.write('PUB come.and.go 500\r\nonly a part');
    client.destroy();
  },
  async (client) => {
    await client.write('NONSENSE\r\n');
    assert.match(await client.rest(), /-ERR 'Unknown Protocol Operation'\r\n$/);
    client.destroy();
  },
];

async function comeAndGo(port: number, index: number): Promise<void> {
  const { client } = await WireClient.greeted(port);
  await client.write('CONNECT {"verbose":false}\r\nSUB come.and.go 1\r\nSUB come.*.go q 2\r\n');
  await client.sync();
  await endings[index % endings.length]?.(client);
}

function residentKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

test(`${total} connections come and go and leave nothing behind`, async () => {
  const server = await ServerProcess.start('slipstream', { args: ['-m', '-1'] });
  try {
    const own = Number((await monitoring(server, '/varz'))['subscriptions']);
    let quarter = 0;
    for (let done = 0; done < total; done += atOnce) {
      await Promise.all(
        Array.from({ length: Math.min(atOnce, total - done) }, (_, index) => comeAndGo(server.port, done + index)),
      );
      if (done + atOnce >= total / 4 && quarter === 0) quarter = residentKiB(server.pid);
    }
    const counted = await awaitMonitoring(server, '/varz', (varz) => varz['connections'] === 0);
    assert.equal(counted['total_connections'], total);
    assert.equal(counted['subscriptions'], own, "subscriptions beyond the server's own");
    assert.deepEqual((await monitoring(server, '/connz'))['connections'], []);
    const grown = residentKiB(server.pid) - quarter;
    assert.ok(grown < 48 * 1024, `resident memory grew by ${grown} KiB over the last three quarters`);
    assert.equal((await server.stop()).code, 0);
  } finally {
    await server.kill();
  }
});
