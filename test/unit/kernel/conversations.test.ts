/**
 * The server in memory against the oracle: whatever a few connections say, in whatever pieces it arrives, everybody
 * receives what the oracle says they do, and afterwards the kernel holds what it held before.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { agrees, cutting, ours, oursGuarded, play } from '../../oracle/agreement.ts';
import { effort, holds } from '../../oracle/check.ts';
import { asking, guarded, guardedConfig, hostile, polite, unannounced } from '../../oracle/conversations.ts';
import { MemoryServer } from '../../oracle/memory-server.ts';

/** Runs once to warm up tables and caches, then again, and wants the second round to leave nothing behind. */
function returnsToBase(server: MemoryServer, round: () => void): void {
  round();
  assert.equal(server.kernel.exports.openConnections(), 0);
  const before = server.kernel.exports.liveBytes();
  round();
  const after = server.kernel.exports.liveBytes();
  assert.ok(after - before < 100_000, `${after - before} bytes stay behind`);
  assert.equal(server.kernel.exports.subscriptions(), 0);
}

const places: readonly { readonly name: string; readonly arenaPage?: number }[] = [
  { name: 'at the bottom of memory' },
  { name: 'above 2 GiB', arenaPage: 33_000 },
];

for (const { name, ...where } of places) {
  describe(`the kernel ${name}`, () => {
    test('answers polite conversations, however they are cut', () => {
      const server = new MemoryServer(where);
      returnsToBase(server, () => agrees(server, ours, polite, effort(200)));
    });

    test('answers connections that never said CONNECT', () => {
      const server = new MemoryServer(where);
      returnsToBase(server, () => agrees(server, ours, unannounced, effort(150)));
    });

    test('closes who breaks the protocol, with the right words, and nobody else', () => {
      const server = new MemoryServer(where);
      returnsToBase(server, () => agrees(server, ours, hostile, effort(400)));
    });

    test('keeps accounts apart and judges permissions', () => {
      const server = new MemoryServer({ ...where, config: guardedConfig });
      returnsToBase(server, () => agrees(server, oursGuarded, guarded, effort(300)));
    });

    test('judges every subject a permitted user asks for', () => {
      const server = new MemoryServer({ ...where, config: guardedConfig });
      returnsToBase(server, () => agrees(server, oursGuarded, asking, effort(150)));
    });
  });
}

test('two kernels in one process do not touch each other', () => {
  const one = new MemoryServer({ seed: [3, 4] });
  const other = new MemoryServer({ seed: [5, 6], config: guardedConfig });
  const left = one.connect();
  const right = other.connect();
  left.send('CONNECT {"verbose":false}\r\nSUB untouched 1\r\n');
  right.send('CONNECT {"verbose":false,"user":"f","pass":"f"}\r\nSUB untouched 2\r\n');
  const both = fc.property(cutting(polite), cutting(guarded), (open, withUsers) => {
    play(one, ours, open, -1);
    play(other, oursGuarded, withUsers, -1);
  });
  holds(both, effort(50));
  right.send('PUB untouched 1\r\nx\r\nPING\r\n');
  assert.equal(right.answers, 'MSG untouched 2 1\r\nx\r\nPONG\r\n');
  assert.equal(left.answers, '');
});
