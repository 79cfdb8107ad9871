/**
 * Reloads on SIGHUP, on both servers: what changes is logged option by option, what may not change stops all of it, and a file that
 * cannot be read leaves the server as it was.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { skipWithout } from '../support/peers.ts';
import { ServerProcess, type ServerKind } from '../support/server.ts';

const kinds: ReadonlyArray<readonly [ServerKind, string | false]> = [
  ['slipstream', false],
  ['nats-server', skipWithout('nats-server')],
];

const before = 'ping_max: 3\n';

/** A changed file and what the log says about it. The last line tells that the reload is over. */
const reloads: ReadonlyArray<readonly [config: string, says: readonly RegExp[]]> = [
  ['debug: true', [/Reloaded: debug = true/, /Reloaded: ping_max = 2/, /Reloaded server configuration \(sha256:[0-9a-f]{64}\)/]],
  ['ping_max: 3, max_payload: 2kb', [/Reloaded: max_payload = 2048/, /Reloaded server configuration/]],
  ['ping_max: 3, ping_interval: "30s"', [/Reloaded: ping_interval = 30s/, /Reloaded server configuration/]],
  ['ping_max: 3, server_tags: [a]', [/Reloaded: tags/, /Reloaded server configuration/]],
  [
    'ping_max: 3, no_fast_producer_stall: true',
    [/Reloaded: fast producers will not be stalled/, /Reloaded server configuration/],
  ],
  [
    'authorization { user: a, pass: b }',
    [/Reloaded: authorization username/, /Reloaded: authorization password/, /Reloaded server configuration/],
  ],
  ['max_pending: 1mb', [/Failed to reload server configuration: config reload not supported for .*: old=67108864, new=1048576/]],
  ['lame_duck_duration: "40s"', [/Failed to reload server configuration: config reload not supported for .*: old=2m0s, new=40s/]],
  ['no_such_key: 1', [/Failed to reload server configuration: .*server\.conf:1:0: unknown field "no_such_key"/]],
  ['max_payload: 70mb', [/Failed to reload server configuration: max_payload \(73400320\) cannot be higher than max_pending/]],
  ['a = [', [/Failed to reload server configuration: .*Parse error on line 1/]],
];

for (const [kind, skip] of kinds) {
  describe(`reload of ${kind}`, { skip }, () => {
    for (const [config, says] of reloads) {
      test(config, async () => {
        const server = await ServerProcess.start(kind, { config: before });
        try {
          writeFileSync(join(server.folder, 'server.conf'), config);
          process.kill(server.pid, 'SIGHUP');
          const last = says.at(-1);
          assert.ok(last !== undefined);
          await server.waitForLog(last);
          for (const line of says) assert.match(server.log, line);
        } finally {
          await server.kill();
        }
      });
    }
  });
}
