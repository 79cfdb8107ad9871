/**
 * Permission sets against the oracle's lists: random allow and deny lists, random subjects.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toBytes } from '../../oracle/bytes.ts';
import { anySubject, pattern, subject } from '../../oracle/arbitraries.ts';
import { effort, holds } from '../../oracle/check.ts';
import { MemoryServer } from '../../oracle/memory-server.ts';
import { mayPublish } from '../../oracle/permissions.ts';

const list = fc.array(fc.oneof({ weight: 3, arbitrary: pattern }, { weight: 1, arbitrary: subject }), { maxLength: 8 });
const published = fc.oneof({ weight: 3, arbitrary: subject }, { weight: 1, arbitrary: anySubject });

test('a permission set lets through what the oracle lets through', () => {
  const server = new MemoryServer();
  const { kernel } = server;
  const property = fc.property(
    fc.option(list, { nil: undefined }),
    list,
    fc.array(published, { maxLength: 30 }),
    (allow, deny, asked) => {
      const live = kernel.exports.liveBytes();
      const set = kernel.openSet(allow, deny);
      for (const one of asked) {
        const readable = Buffer.from(toBytes(one)).toString('utf8');
        if (readable.includes('\ufffd')) continue;
        const expected = mayPublish({ publish: { ...(allow === undefined ? {} : { allow }), deny } }, one);
        assert.equal(kernel.setPermits(set, readable), expected, `may publish to ${JSON.stringify(one)}`);
      }
      kernel.exports.closeSet(set);
      assert.ok(kernel.exports.liveBytes() - live < 40_000);
    },
  );
  holds(property, effort(400));
  const live = kernel.exports.liveBytes();
  holds(property, effort(400));
  assert.ok(kernel.exports.liveBytes() - live < 40_000, `${kernel.exports.liveBytes() - live} bytes stay behind`);
});
