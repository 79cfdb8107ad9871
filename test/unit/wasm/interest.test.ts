/**
 * Interest that changes while the same few subjects are published again and again, so that every result cache in the way
 * is filled and must be told: subscriptions, queue groups, maxima, several accounts.
 */
import { test } from 'node:test';
import fc from 'fast-check';
import { agrees, ours, oursGuarded } from '../../oracle/agreement.ts';
import type { Step } from '../../oracle/arbitraries.ts';
import { effort } from '../../oracle/check.ts';
import { guardedConfig } from '../../oracle/conversations.ts';
import { MemoryServer } from '../../oracle/memory-server.ts';

const few = fc.constantFrom('a', 'a.b', 'a.b.c');
const patterns = fc.constantFrom('a', 'a.b', 'a.b.c', '*', '>', 'a.*', 'a.>', '*.b', '*.*', 'a.*.c', '*.b.>', 'a.b.*', '*.*.*');
const who = fc.constantFrom(0, 1, 2);
const sid = fc.constantFrom('1', '2', '3', '4', '5');
const change: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(who, patterns, sid).map(([conn, over, id]) => ({ conn, text: `SUB ${over} ${id}\r\n` })),
  fc
    .tuple(who, patterns, fc.constantFrom('q', 'w'), sid)
    .map(([conn, over, queue, id]) => ({ conn, text: `SUB ${over} ${queue} ${id}\r\n` })),
  fc.tuple(who, sid, fc.constantFrom('', ' 1', ' 4')).map(([conn, id, max]) => ({ conn, text: `UNSUB ${id}${max}\r\n` })),
);
const publish = fc.tuple(who, few).map(([conn, to]) => ({ conn, text: `PUB ${to} 5\r\n#####\r\n` }));
const steps = fc.array(fc.oneof({ weight: 2, arbitrary: change }, { weight: 5, arbitrary: publish }), { maxLength: 150 });

function opened(logins: readonly object[], given: readonly Step[]): Step[] {
  const connects = logins.map((login, conn) => ({
    conn,
    text: `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, ...login })}\r\n`,
  }));
  const numbered = given.map(({ conn, text }, index) => ({ conn, text: text.replace('#####', String(index).padStart(5, '0')) }));
  return [...connects, ...numbered];
}

test('results are right at once when interest changes', () => {
  agrees(
    new MemoryServer(),
    ours,
    steps.map((given) => opened([{}, {}, { echo: false }], given)),
    effort(200),
  );
});

test('results of one account are not seen in another', () => {
  const logins = [
    { user: 'f', pass: 'f' },
    { user: 'b', pass: 'b' },
    { user: 'f', pass: 'f' },
  ];
  agrees(
    new MemoryServer({ config: guardedConfig }),
    oursGuarded,
    steps.map((given) => opened(logins, given)),
    effort(150),
  );
});
