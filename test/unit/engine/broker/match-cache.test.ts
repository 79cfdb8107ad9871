// What matches a subject is remembered or searched for each time, as configured; who receives is the same.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestBroker } from '../../../support/broker.ts';

function delivered(caches: boolean): { heard: string; cached: number; hits: number } {
  const test = new TestBroker();
  test.kernel.exports.setMatchCache(caches ? 1 : 0);
  const receiver = test.peer();
  const sender = test.peer();
  receiver.say('SUB a.* 1\r\nSUB a.> 2\r\nSUB *.b q 3\r\n');
  for (let round = 0; round < 5; round++) sender.say('PUB a.b 1\r\nx\r\nPUB a.c 1\r\ny\r\n');
  receiver.say('UNSUB 2\r\nSUB a.b.> 4\r\n');
  sender.say('PUB a.b 1\r\nz\r\nPUB a.b.c 1\r\nz\r\n');
  const figures = test.kernel.matcher(test.broker.accounts.get('$G').handle);
  return { heard: receiver.heard(), cached: figures.cached, hits: figures.cacheHits };
}

describe('the cache of matches', () => {
  it('is not used when it is switched off, and everybody hears the same', () => {
    const on = delivered(true);
    const off = delivered(false);
    assert.equal(off.heard, on.heard);
    assert.match(off.heard, /MSG a\.b\.c 4 1\r\nz\r\n$/);
    assert.ok(on.cached > 0 && on.hits > 0);
    assert.deepEqual([off.cached, off.hits], [0, 0]);
  });
});
