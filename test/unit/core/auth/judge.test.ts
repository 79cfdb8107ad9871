// Subscribe permissions: verdicts recorded from nats-server 2.14.5, and that no verdict lets a denied message through.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judgeSubscribe, mayPublish } from '../../../../ts/core/auth/judge.ts';
import { compilePermissions, messageFilter, restrictsSubscribe } from '../../../../ts/core/auth/permissions.ts';
import { hasWildcard, isSubsetMatch } from '../../../../ts/core/subject/subject.ts';

test('verdicts for plain subjects, patterns and queues', () => {
  const permissions = compilePermissions({
    subscribe: {
      allow: ['foo.*', 'q.> grp', 'zz.> *.prod', 'm.>', 'm.a grp', 'n.* g1', 'n.a'],
      deny: ['foo.bar', 'm.x', 'm.x bad', 'm.y bad'],
    },
  });
  const cases: readonly (readonly [subject: string, queue: string, verdict: string])[] = [
    ['foo.>', '', 'filtered'],
    ['foo.*', '', 'filtered'],
    ['foo.bar', '', 'denied'],
    ['foo.baz', '', 'ok'],
    ['foo.a', 'any', 'ok'],
    ['>', '', 'denied'],
    ['*.*', '', 'denied'],
    ['q.a', 'grp', 'ok'],
    ['q.>', 'grp', 'ok'],
    ['q.>', '', 'denied'],
    ['q.a', 'gx', 'denied'],
    ['zz.1', 'v1.prod', 'ok'],
    ['zz.1', 'v1.dev', 'denied'],
    ['m.a', 'g2', 'denied'],
    ['m.a', 'grp', 'ok'],
    ['m.x', 'good', 'denied'],
    ['m.x', 'bad', 'denied'],
    ['m.y', 'good', 'ok'],
    ['m.y', '', 'ok'],
    ['m.y', 'bad', 'denied'],
    ['n.a', 'g2', 'denied'],
    ['n.a', 'g1', 'ok'],
    ['n.a', '', 'ok'],
    ['m.*', '', 'filtered'],
    ['a', '_sys_', 'denied'],
  ];
  for (const [subject, queue, verdict] of cases)
    assert.equal(judgeSubscribe(permissions, subject, queue), verdict, `${subject} ${queue}`);
});

test('without permissions everything is taken, but for the queue of the server itself', () => {
  assert.equal(judgeSubscribe(undefined, '>', ''), 'ok');
  assert.equal(judgeSubscribe(undefined, 'a', '_sys_'), 'denied');
  assert.equal(restrictsSubscribe(undefined), false);
  assert.equal(restrictsSubscribe(compilePermissions({ publish: { allow: ['a'] } })), false);
  assert.equal(restrictsSubscribe(compilePermissions({ subscribe: { deny: ['a'] } })), true);
});

test('allow_responses without a publish list allows no other publish', () => {
  const responses = compilePermissions({ allowResponses: { max: 1, expiresMs: 1_000 } });
  assert.deepEqual([responses?.publishAllow, responses?.responses], [[], { maxMsgs: 1, expiresMs: 1_000 }]);
  assert.equal(mayPublish(responses, 'a'), false);
  const both = compilePermissions({ allowResponses: { max: 1, expiresMs: 1_000 }, publish: { deny: ['b'], allow: ['*'] } });
  assert.deepEqual(
    [mayPublish(both, 'a'), mayPublish(both, 'b'), mayPublish(both, 'a.b'), mayPublish(both, 'a b')],
    [true, false, false, false],
  );
});

const literal = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join('.'));
const pattern = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 2 }), fc.constantFrom('a', 'b', '*', '>'))
  .map(([start, last]) => [...start, last].join('.'));

test('what reaches a subscriber is allowed and not denied', () => {
  fc.assert(
    fc.property(
      fc.array(pattern, { maxLength: 3 }),
      fc.array(pattern, { maxLength: 3 }),
      pattern,
      literal,
      (allow, deny, subscribed, subject) => {
        const permissions = compilePermissions({ subscribe: { allow, deny } });
        assert.ok(permissions !== undefined);
        const verdict = judgeSubscribe(permissions, subscribed, '');
        if (verdict === 'denied' || !isSubsetMatch(subject, subscribed)) return;
        const filter = messageFilter(permissions);
        const passes =
          (filter.allow?.some((one) => isSubsetMatch(subject, one)) ?? true) &&
          !filter.deny.some((one) => isSubsetMatch(subject, one));
        if (verdict === 'ok') assert.ok(passes, `${subscribed} hears ${subject}: allow ${allow.join()} deny ${deny.join()}`);
        if (!hasWildcard(subscribed)) assert.ok(passes);
      },
    ),
    { numRuns: 2_000 },
  );
});
