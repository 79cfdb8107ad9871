/**
 * Connections that begin with the header of a proxy, on both servers: the client is told its own address, the log goes on naming the proxy,
 * and who says half a header is closed with the same line in the log.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { skipWithout } from '../support/peers.ts';
import { serverFor, type ServerKind } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';

const kinds: ReadonlyArray<readonly [ServerKind, string | false]> = [
  ['slipstream', false],
  ['nats-server', skipWithout('nats-server')],
];

const config = 'proxy_protocol: true\ndebug: true\n';
const connect = 'CONNECT {"verbose":false,"pedantic":false,"protocol":1,"name":"behind"}\r\nPING\r\n';
const second = '\r\n\r\n\0\r\nQUIT\n';

/** What INFO says of the client's address when it has said who it is. */
async function toldAddress(port: number, header: string): Promise<unknown> {
  const { client, info } = await WireClient.greeted(port);
  assert.equal(info['client_ip'], undefined, 'the greeting does not give the proxy away');
  await client.write(header + connect);
  assert.equal(await client.line(), 'PONG');
  const told = await client.info();
  client.destroy();
  return told['client_ip'];
}

for (const [kind, skip] of kinds) {
  describe(`proxies in front of ${kind}`, { skip }, () => {
    test('clients have the address that their proxy tells', async (t) => {
      const server = await serverFor(t, kind, { config });
      const toldTo = (header: string): Promise<unknown> => toldAddress(server.port, header);
      assert.equal(await toldTo('PROXY TCP4 203.0.113.50 127.0.0.1 54321 4222\r\n'), '203.0.113.50');
      assert.equal(await toldTo('PROXY TCP6 2001:db8:0:0::1 ::1 54321 4222\r\n'), '2001:db8::1');
      assert.equal(await toldTo(`${second}\x21\x11\0\x0c\xc0\0\x02\x01\x0a\0\0\x01\xd4\x31\x10\x7e`), '192.0.2.1');
      for (const own of ['', 'PROXY UNKNOWN\r\n', `${second}\x20\0\0\0`]) assert.equal(await toldTo(own), '127.0.0.1', own);
      await server.waitForLog(/PROXY protocol enabled for client connections/);
      assert.match(server.log, /127\.0\.0\.1:\d+ - cid:\d+ - "behind" - Client connection closed/);
      assert.doesNotMatch(server.log, /203\.0\.113\.50/);
    });

    test('what is no whole header closes the connection, and the log says why', async (t) => {
      const server = await serverFor(t, kind, { config });
      for (const [bytes, why] of [
        ['PROXY TCP4 1.2.3.4 x 1 2\r\n', 'invalid PROXY protocol header: invalid address'],
        [`PROXY ${'x'.repeat(101)}`, 'invalid PROXY protocol header: v1 line too long'],
        [`${second}\x21\x12\0\x0c`, 'unsupported PROXY protocol feature: only STREAM protocol supported'],
      ] as const) {
        const { client } = await WireClient.greeted(server.port);
        await client.write(bytes);
        assert.equal(await client.rest(), '');
        await server.waitForLog(new RegExp(`\\[WRN\\] Error reading PROXY protocol header from 127\\.0\\.0\\.1:\\d+: ${why}\n`));
      }
    });
  });
}
