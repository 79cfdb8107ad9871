/**
 * Whole conversations of a few connections for fast-check, and the users they log in as where there are users.
 */
import fc from 'fast-check';
import { connectFields, connectLine, hostileText, pattern, politeLine, subject, written } from './arbitraries.ts';
import type { Step } from './arbitraries.ts';
import { openRules } from './rules.ts';
import type { Identity, Rules } from './rules.ts';

export const connections: readonly number[] = [0, 1, 2];

const permitted = {
  account: 'A',
  password: 'a',
  permissions: {
    publish: { allow: ['a', 'a.>', 'b.*'], deny: ['a.b', 'a.*.c'] },
    subscribe: { allow: ['a.>', 'b.*', 'c q', '*.*', 'aa w'], deny: ['a.b', 'a.*.c', 'b.c q'] },
  },
};
const service = {
  account: 'A',
  password: 's',
  permissions: { publish: { allow: [], deny: ['>'] }, responses: { max: 2 } },
};

export const users = new Map<string, Identity & { password: string }>([
  ['a', permitted],
  ['s', service],
  ['f', { account: 'A', password: 'f', permissions: null }],
  ['b', { account: 'B', password: 'b', permissions: null }],
]);

/** The same users and limits as a configuration. */
export const guardedConfig = `
max_subscriptions: 3
max_subscription_tokens: 5
accounts {
  A { users = [
    { user: a, password: a, permissions: {
      publish: { allow: ["a", "a.>", "b.*"], deny: ["a.b", "a.*.c"] },
      subscribe: { allow: ["a.>", "b.*", "c q", "*.*", "aa w"], deny: ["a.b", "a.*.c", "b.c q"] } } },
    { user: s, password: s, permissions: { publish: { deny: [">"] }, allow_responses: { max: 2, expires: "1m" } } },
    { user: f, password: f }
  ] }
  B { users = [ { user: b, password: b } ] }
}`;

export const guardedRules: Rules = { ...openRules, maxSubscriptions: 3, maxSubjectTokens: 5, users };

const who = fc.constantFrom(...connections);
const logins = [...users].map(([user, { password }]) => ({ user, pass: password }));

function conversation(login: fc.Arbitrary<object>): fc.Arbitrary<Step[]> {
  const connects = fc.tuple(connectFields, login).map(([fields, as]) => connectLine({ ...fields, headers: true, ...as }));
  const opening = fc.tuple(connects, connects, connects).map((texts) => texts.map((text, conn) => ({ conn, text })));
  const lines = fc.array(fc.record({ conn: who, line: politeLine(true, connects) }), { maxLength: 30 });
  return fc.tuple(opening, lines).map(([first, rest]) => [...first, ...written(rest)]);
}

/** Everybody says CONNECT and keeps to the grammar. */
export const polite = conversation(fc.constant({}));

/** Nobody says CONNECT. */
export const unannounced = fc.array(fc.record({ conn: who, line: politeLine(false, null) }), { maxLength: 20 }).map(written);

/** In the middle of a conversation somebody sends what should close the connection. */
export const hostile = fc
  .tuple(polite, who, hostileText, polite)
  .map(([before, conn, text, behind]) => [...before.slice(0, 8), { conn, text }, ...behind.slice(3, 10)]);

/** Users of two accounts, now and then one that nobody knows. */
export const guarded = fc.oneof(
  { weight: 4, arbitrary: conversation(fc.constantFrom(...logins)) },
  { weight: 1, arbitrary: conversation(fc.constantFrom(...logins, { user: 'a', pass: 'wrong' }, {})) },
);

/** One permitted user asks for one subject after the other. */
export const asking = fc
  .array(fc.tuple(fc.constantFrom('PUB', 'SUB', 'QSUB'), subject, pattern, fc.constantFrom('q', 'w')), { maxLength: 30 })
  .map((given) => [
    { conn: 0, text: connectLine({ user: 'a', pass: 'a', verbose: true, pedantic: false }) },
    ...given.map(([verb, to, over, queue], index) => {
      if (verb === 'PUB') return { conn: 0, text: `PUB ${to} 4\r\n<${index % 10}>.\r\n` };
      return { conn: 0, text: `SUB ${over} ${verb === 'SUB' ? '' : `${queue} `}${index}\r\nUNSUB ${index}\r\n` };
    }),
  ]);
