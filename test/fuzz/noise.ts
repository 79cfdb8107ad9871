/**
 * Bytes without any sense, and sense with a few bytes wrong: nothing may trap, nobody else may notice, nothing may stay.
 *
 * What exactly is answered is the oracle's matter where it knows (most of such input); here connections also do things
 * in an order no client would, hang up in the middle, and stop taking output.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cut, cuts, hostileText } from '../oracle/arbitraries.ts';
import type { Cuts } from '../oracle/arbitraries.ts';
import { holds } from '../oracle/check.ts';
import type { Effort } from '../oracle/check.ts';
import { polite } from '../oracle/conversations.ts';
import type { MemoryServer } from '../oracle/memory-server.ts';

export interface Damaged {
  readonly conn: number;
  readonly text: string;
  readonly cuts: Cuts;
  readonly then: 'nothing' | 'hang up' | 'stop taking' | 'take again';
}

const then = fc.oneof(
  { weight: 12, arbitrary: fc.constant('nothing' as const) },
  { weight: 1, arbitrary: fc.constantFrom('hang up' as const, 'stop taking' as const, 'take again' as const) },
);

/** The text with some of its bytes replaced, doubled or left out. */
function damaged(text: string, wounds: readonly (readonly [number, number, string])[]): string {
  let result = text;
  for (const [at, kind, byte] of wounds) {
    const place = at % (result.length + 1);
    const skip = kind === 2 ? 0 : 1;
    result = result.slice(0, place) + (kind === 1 ? '' : byte) + result.slice(place + skip);
  }
  return result;
}

const byte = fc.oneof(
  fc.constantFrom('\r', '\n', ' ', '\t', '\0', '9', '0', '-', '.', '*', '>'),
  fc.nat(255).map((code) => String.fromCharCode(code)),
);
const wounds = fc.array(fc.tuple(fc.nat(10_000), fc.nat(2), byte), { maxLength: 4 });
const texts = fc.oneof(
  {
    weight: 4,
    arbitrary: polite.chain((steps) => fc.tuple(fc.constantFrom(...steps), wounds)).map(([step, all]) => damaged(step.text, all)),
  },
  { weight: 2, arbitrary: hostileText },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')) },
);

export const noise: fc.Arbitrary<Damaged[]> = fc.array(fc.record({ conn: fc.nat(3), text: texts, cuts, then }), {
  maxLength: 25,
});

function unmoved(server: MemoryServer, steps: readonly Damaged[]): void {
  const { exports } = server.kernel;
  const witness = server.connect();
  witness.send('CONNECT {"verbose":false}\r\nSUB untouched 1\r\n');
  const open = new Map<number, ReturnType<MemoryServer['connect']>>();
  for (const { conn, text, cuts: where, then: next } of steps) {
    let peer = open.get(conn);
    if (peer === undefined || peer.ended) {
      peer = server.connect();
      open.set(conn, peer);
    }
    for (const piece of cut(text, where)) peer.send(piece);
    if (next === 'hang up') {
      peer.hangUp();
      open.delete(conn);
    } else if (next === 'stop taking') {
      peer.slow = true;
    } else if (next === 'take again') {
      peer.slow = false;
      peer.drain();
    }
  }
  for (const peer of open.values()) peer.hangUp();
  witness.send('PUB untouched 2\r\nok\r\nPING\r\n');
  assert.ok(witness.answers.endsWith('MSG untouched 1 2\r\nok\r\nPONG\r\n'), witness.answers.slice(-300));
  witness.hangUp();
  assert.equal(exports.openConnections(), 0);
  assert.equal(exports.subscriptions(), 0);
}

export function survives(server: MemoryServer, steps: fc.Arbitrary<Damaged[]>, effort: Effort): number {
  const warm = fc.property(steps, (given) => unmoved(server, given));
  const runs = holds(warm, effort);
  const live = server.kernel.exports.liveBytes();
  assert.ok(live < 2_000_000, `${live} bytes are still in use after ${runs} conversations`);
  return runs;
}
