/** The `nats` CLI's stream commands, one after the other on one server, each judged by what it prints. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { skipWithout } from '../support/peers.ts';
import { serverFor } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { cli, startCli } from './cli.ts';
import { targets } from './servers.ts';

const backup = temporaryFolder();

/** Commands in order: what is typed, what is shown. */
const steps: readonly (readonly [args: readonly string[], shows: RegExp])[] = [
  [['stream', 'add', 'ORDERS', '--subjects', 'orders.>', '--defaults'], /Stream ORDERS was created/],
  [['pub', '--jetstream', 'orders.1', 'one'], /Stored in Stream: ORDERS Sequence: 1/],
  [['pub', '--jetstream', 'orders.2', 'two', '-H', 'Nats-Msg-Id:2'], /Sequence: 2/],
  [['pub', '--jetstream', 'orders.2', 'two', '-H', 'Nats-Msg-Id:2'], /Duplicate: true/],
  [['pub', '--jetstream', 'orders.3', 'three'], /Sequence: 3/],
  [['stream', 'edit', 'ORDERS', '--description', 'of the shop', '--max-msgs', '100', '-f'], /of the shop/],
  [['stream', 'info', 'ORDERS'], /Messages: 3[^]*Number of Subjects: 3/],
  [['stream', 'state', 'ORDERS'], /Messages: 3/],
  [['stream', 'ls', '-n'], /^ORDERS$/m],
  [['stream', 'report'], /ORDERS/],
  [['stream', 'subjects', 'ORDERS'], /orders\.3/],
  [['stream', 'find', '--subject', 'orders.>'], /ORDERS/],
  [['stream', 'get', 'ORDERS', '2'], /two/],
  [['stream', 'get', 'ORDERS', '-S', 'orders.3'], /three/],
  [['stream', 'copy', 'ORDERS', 'COPY', '--subjects', 'copy.>'], /Stream COPY was created/],
  [['stream', 'seal', 'COPY', '-f'], /Sealed: true/],
  [['stream', 'backup', 'ORDERS', backup, '--no-progress'], /Received/],
  [['stream', 'rmm', 'ORDERS', '2', '-f'], /^$/],
  [['stream', 'purge', 'ORDERS', '--subject', 'orders.1', '-f'], /Messages: 1/],
  [['stream', 'purge', 'ORDERS', '-f'], /Messages: 0/],
  [['stream', 'rm', 'ORDERS', '-f'], /^$/],
  [['stream', 'restore', backup, '--no-progress'], /Restored stream "ORDERS"/],
  [['stream', 'get', 'ORDERS', '1'], /one/],
  [['server', 'check', 'jetstream'], /OK JetStream/],
  [
    ['stream', 'add', 'SUMS', '--subjects', 'sums.>', '--defaults', '--allow-counter', '--allow-direct'],
    /Stream SUMS was created/,
  ],
  [['counter', 'incr', 'sums.a', '5'], /5/],
  [['counter', 'incr', 'sums.a', '--', '-7'], /-2/],
  [['stream', 'add', 'TTL', '--subjects', 'ttl.>', '--defaults', '--allow-msg-ttl'], /Stream TTL was created/],
  [['kv', 'add', 'BUCKET', '--ttl', '1h', '--marker-ttl', '10s'], /BUCKET/],
  [['kv', 'put', 'BUCKET', 'a', 'first'], /first/],
  [['kv', 'del', 'BUCKET', 'a', '-f'], /^$/],
  [['kv', 'info', 'BUCKET'], /BUCKET/],
];

for (const { kind, skip } of targets) {
  describe(`nats stream and its like against ${kind}`, { skip: skip || skipWithout('nats') }, () => {
    test('do what they say', async (t) => {
      const server = await serverFor(t, kind, { config: 'jetstream { store_dir: "store" }\n' });
      rmSync(backup, { recursive: true, force: true });
      for (const [args, shows] of steps) assert.match((await cli(server, args)).trim(), shows, args.join(' '));
    });

    test('answers what it cannot do with an exit code', async (t) => {
      const server = await serverFor(t, kind, { config: 'jetstream { store_dir: "store" }\n' });
      const { code, output } = await startCli(server, ['stream', 'rm', 'NONE', '-f']).finished;
      assert.equal(code, 1);
      assert.match(output, /not found|could not pick/);
    });
  });
}
