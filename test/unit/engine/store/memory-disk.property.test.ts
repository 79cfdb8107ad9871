/** A file in memory holds what was written to it, whatever the pieces it is kept in, and whoever had them before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryDisk } from '../../../../ts/engine/store/memory-disk.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

/** A piece is 256 KiB: a few of these cross one, and stop right at its end. */
const length = fc.oneof(fc.integer({ min: 0, max: 9_000 }), fc.integer({ min: 100_000, max: 600_000 }), fc.constant(256 << 10));
const step = fc.oneof(
  fc.record({ is: fc.constant('append' as const), lengths: fc.array(length, { minLength: 1, maxLength: 3 }) }),
  fc.record({
    is: fc.constantFrom('patch' as const, 'cut' as const, 'read' as const, 'gap' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ is: fc.constantFrom('reopen' as const, 'remove' as const, 'replace' as const) }),
);

test('reads answer what was written', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 14 }), (steps) => {
      const disk = new MemoryDisk(new VirtualClock());
      let file = disk.open('/f', true);
      let content = Buffer.alloc(0);
      let fill = 0;
      for (const one of steps) {
        switch (one.is) {
          case 'append': {
            const views = one.lengths.map((bytes) => Buffer.alloc(bytes, ++fill));
            disk.write(file, views, content.length);
            content = Buffer.concat([content, ...views]);
            break;
          }
          case 'patch': {
            const at = Math.floor(one.at * content.length);
            const patch = Buffer.alloc(Math.min(70_000, content.length - at), ++fill);
            disk.write(file, [patch], at);
            patch.copy(content, at);
            break;
          }
          case 'cut':
            content = content.subarray(0, Math.floor(one.at * content.length));
            disk.cut(file, content.length);
            break;
          case 'read': {
            const at = Math.floor(one.at * content.length);
            const into = Buffer.alloc(80_000);
            const expected = content.subarray(at, at + into.length);
            assert.equal(disk.read(file, into, at), expected.length);
            assert.ok(into.subarray(0, expected.length).equals(expected));
            break;
          }
          case 'gap': {
            const gap = Buffer.alloc(Math.floor(one.at * 300_000));
            disk.write(file, [Buffer.from('end')], content.length + gap.length);
            content = Buffer.concat([content, gap, Buffer.from('end')]);
            break;
          }
          case 'reopen':
            disk.close(file);
            file = disk.open('/f', false);
            break;
          case 'remove':
          case 'replace': {
            const before = content;
            content = one.is === 'remove' ? Buffer.alloc(0) : Buffer.alloc(300_000, ++fill);
            if (one.is === 'remove') disk.remove('/f');
            else disk.writeWhole('/f', content);
            const next = disk.open('/f', true);
            const into = Buffer.alloc(before.length);
            assert.equal(disk.read(file, into, 0), before.length, 'who has it open goes on reading it');
            assert.ok(into.equals(before));
            disk.close(file);
            file = next;
            break;
          }
        }
        assert.equal(disk.size(file), content.length);
      }
      assert.ok(content.equals(disk.readWhole('/f') ?? Buffer.alloc(0)));
    }),
    { numRuns: 60 },
  );
});
