/** Secure erase: what was deleted cannot be read from the file any more, and every reader goes on around it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { blockKey, scan } from '../../../oracle/record.ts';
import { openTestStore, synced } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const encoder = new TextEncoder();
const secretOf = (seq: number): string => `the secret of ${seq}`;

test('an erased message is gone from the file, whether it was written already or not', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = server.store.create(server.options('S'), '{}');
  const put = (): void => {
    const seq = stream.state.lastSeq + 1;
    stream.append({ subject: 'a', headers: encoder.encode('NATS/1.0\r\nA: b\r\n\r\n'), payload: encoder.encode(secretOf(seq)) });
  };
  server.turn(() => {
    for (let n = 0; n < 6; n++) put();
  });
  await synced(stream);
  server.turn(() => {
    for (let n = 0; n < 3; n++) put();
    assert.ok(stream.delete(2, true), 'on disk');
    assert.ok(stream.delete(8, true), 'still in memory');
    assert.ok(stream.delete(4), 'not erased');
  });
  await synced(stream);
  const block = readFileSync(join(root, '$G/streams/S/msgs/1.blk'));
  assert.ok(!block.includes(secretOf(2)) && !block.includes(secretOf(8)));
  assert.ok(block.includes(secretOf(4)), 'a plain delete leaves the bytes');
  const found = scan(blockKey('S', 1), block);
  assert.equal(found.goodEnd, block.length, 'every record is whole');
  const erased = found.records.filter(({ is }) => is === 'erased').map(({ seq }) => seq);
  assert.deepEqual(erased, [2, 8]);
  await server.stop();

  const again = openTestStore(root);
  const after = await again.store.recover(again.options('S'));
  assert.deepEqual(after.deleted(10), [2, 4, 8]);
  for (const seq of [1, 3, 5, 6, 7, 9]) assert.equal(Buffer.from(after.get(seq)?.payload ?? []).toString(), secretOf(seq));
  await again.stop();
});
