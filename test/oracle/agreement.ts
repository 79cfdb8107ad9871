/**
 * Playing a conversation on the server in memory and holding what everybody received against the oracle: the heart of
 * the kernel's property tests and of the fuzzer.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cut, cuts } from './arbitraries.ts';
import type { Cuts, Step } from './arbitraries.ts';
import { Broker } from './broker.ts';
import { openRules } from './rules.ts';
import type { Rules } from './rules.ts';
import { holds } from './check.ts';
import type { Effort } from './check.ts';
import { connections, guardedRules } from './conversations.ts';
import type { MemoryPeer, MemoryServer } from './memory-server.ts';
import { ReceivedBytes } from './witness.ts';

export interface CutStep extends Step {
  readonly cuts: Cuts;
}

/** The rules of a Slipstream without configuration, and of one with the users of conversations.ts. */
export const ours: Rules = { ...openRules, slipstream: true };
export const oursGuarded: Rules = { ...guardedRules, slipstream: true };

function settle(peers: readonly MemoryPeer[]): void {
  for (const peer of peers) peer.slow = false;
  for (const peer of peers) peer.drain();
}

/** Lets the steps arrive, each in its pieces; the connection `slow` takes nothing until the end. Throws where anybody disagrees. */
export function play(server: MemoryServer, rules: Rules, steps: readonly CutStep[], slow: number): void {
  const peers = connections.map(() => server.connect());
  for (const [conn, peer] of peers.entries()) peer.slow = conn === slow;
  for (const { conn, text, cuts: where } of steps) for (const piece of cut(text, where)) peers[conn]?.send(piece);
  settle(peers);
  const witness = new ReceivedBytes();
  const model = new Broker(rules, witness);
  for (const [conn, peer] of peers.entries()) {
    witness.add(conn, peer.answers);
    model.open(conn);
  }
  try {
    for (const { conn, text } of steps) model.receive(conn, text);
    for (const [conn, peer] of peers.entries()) {
      witness.atEnd(conn);
      const open = model.connections.get(conn)?.open === true;
      assert.equal(peer.ended, !open, `connection ${conn} must be ${open ? 'open' : 'closed'} at the end`);
    }
  } finally {
    for (const peer of peers) peer.hangUp();
  }
}

export function cutting(steps: fc.Arbitrary<Step[]>): fc.Arbitrary<CutStep[]> {
  return steps.chain((given) =>
    fc
      .array(cuts, { minLength: given.length, maxLength: given.length })
      .map((all) => given.map((step, index) => ({ ...step, cuts: all[index] ?? [] }))),
  );
}

/** The server agrees with the oracle about all such conversations. Returns how many were tried. */
export function agrees(server: MemoryServer, rules: Rules, steps: fc.Arbitrary<Step[]>, effort: Effort): number {
  const property = fc.property(cutting(steps), fc.constantFrom(-1, ...connections), (given, slow) =>
    play(server, rules, given, slow),
  );
  return holds(property, effort);
}
