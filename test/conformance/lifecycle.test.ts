/**
 * Start and stop as an operator sees them: a failing start exits 1 and says why, SIGTERM ends connections and exits 0,
 * lame duck ends them one by one. Run on both servers, so that the expectations are nats-server's.
 */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { skipWithout } from '../support/peers.ts';
import { serverFor, ServerProcess, type ServerKind } from '../support/server.ts';
import { temporaryFile } from '../support/temporary.ts';
import { WireClient } from '../support/wire.ts';

const kinds: ReadonlyArray<readonly [ServerKind, string | false]> = [
  ['slipstream', false],
  ['nats-server', skipWithout('nats-server')],
];

async function failedStart(kind: ServerKind, args: readonly string[], config?: string): Promise<string> {
  const server = ServerProcess.run(kind, ['-a', '127.0.0.1', ...args], config === undefined ? {} : { config });
  const exit = await server.exited;
  assert.equal(exit.code, 1, `exit ${exit.code ?? exit.signal}, log:\n${server.log}`);
  return server.log;
}

for (const [kind, skip] of kinds) {
  describe(`life of ${kind}`, { skip }, () => {
    test('a port in use ends the start with a line that says so', async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => holder.once('listening', resolve));
      try {
        const log = await failedStart(kind, ['-p', String((holder.address() as AddressInfo).port)]);
        assert.match(log, /address already in use/i);
        assert.match(log, /port/i);
      } finally {
        holder.close();
      }
    });

    test('a syntax error in the configuration is told with its place', async () => {
      const log = await failedStart(kind, ['-p', '-1'], 'port: -1\nauthorization {\n  user: "a\n}\n');
      assert.match(log, kind === 'slipstream' ? /server\.conf:\d+:\d+/ : /Parse error/);
    });

    test('an unknown key is refused by name', async () => {
      assert.match(await failedStart(kind, ['-p', '-1'], 'max_paylaod: 12\n'), /max_paylaod/);
    });

    test('an unreadable certificate ends the start', async () => {
      const garbage = temporaryFile('bad.pem', 'no certificate\n');
      const log = await failedStart(kind, ['-p', '-1'], `tls { cert_file: "${garbage}", key_file: "${garbage}" }\n`);
      assert.match(log, /certificate|PEM|tls/i);
    });

    test('a missing configuration file ends the start', async () => {
      assert.match(await failedStart(kind, ['-c', '/nowhere/server.conf']), /\/nowhere\/server\.conf/);
    });

    test('an unknown flag ends the start, with exit 0 as nats-server', async () => {
      const server = ServerProcess.run(kind, ['--no-such-flag']);
      const exit = await server.exited;
      assert.equal(exit.code, 0);
      assert.match(server.log, /no-such-flag/);
    });

    test('-t tests a configuration and exits', async () => {
      const good = ServerProcess.run(kind, ['-t'], { config: 'port: -1\n' });
      assert.equal((await good.exited).code, 0, good.log);
      const bad = ServerProcess.run(kind, ['-t'], { config: 'port: {\n' });
      assert.equal((await bad.exited).code, 1, bad.log);
    });

    test('--version prints it and exits 0', async () => {
      const server = ServerProcess.run(kind, ['--version']);
      assert.equal((await server.exited).code, 0, server.log);
      assert.match(server.log, /v?\d+\.\d+\.\d+/);
    });

    test('SIGTERM ends connections and the process, with exit 0', async (t) => {
      const server = await serverFor(t, kind);
      const { client } = await WireClient.greeted(server.port);
      await client.write('CONNECT {"verbose":false}\r\nSUB a 1\r\n');
      await client.sync();
      const ended = client.rest();
      const exit = await server.stop();
      await ended;
      client.destroy();
      assert.equal(exit.code, 0, server.log);
    });

    test('lame duck with no connection left exits', async (t) => {
      const server = await serverFor(t, kind, { config: 'lame_duck_grace_period: "100ms"\n' });
      const { client } = await WireClient.greeted(server.port);
      await client.sync();
      server.signal('SIGUSR2');
      await client.rest();
      client.destroy();
      const exit = await server.exited;
      assert.equal(exit.code, 0, server.log);
    });

    // Lame duck alone would take longer than a test file may.
    test('SIGINT ends a server at once that is in lame duck mode', async (t) => {
      const config = 'lame_duck_duration: "2h"\nlame_duck_grace_period: "1h"\n';
      const server = await serverFor(t, kind, { config });
      const { client } = await WireClient.greeted(server.port);
      await client.sync();
      server.signal('SIGUSR2');
      await server.waitForLog(/Entering lame duck mode/);
      server.signal('SIGINT');
      await client.rest();
      client.destroy();
      const exit = await server.exited;
      assert.equal(exit.code, 0, server.log);
    });

    test('a killed server leaves its port to the next', async (t) => {
      const first = await serverFor(t, kind);
      const port = first.port;
      await first.kill();
      const second = await serverFor(t, kind, { port });
      assert.equal(second.port, port);
    });
  });
}
