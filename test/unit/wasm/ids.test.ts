// The duplicate window in the kernel against its twin: any order of storing, asking and waiting.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KernelIds } from '../../../ts/engine/store/message-ids.ts';
import { Kernel } from '../../../ts/kernel/kernel.ts';
import { StreamKernel } from '../../../ts/kernel/streams.ts';
import { loadKernel } from '../../../ts/node/wasm.ts';
import { PlainIds } from '../../oracle/duplicates.ts';

const module = loadKernel('server', import.meta.dirname);
const windowMs = 1000;

type Step = { readonly add: string } | { readonly find: string } | { readonly waitMs: number } | { readonly resizeMs: number };

const id = fc.oneof(fc.nat(40).map(String), fc.string({ minLength: 1, maxLength: 300 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: id.map((add) => ({ add })) },
  { weight: 3, arbitrary: id.map((find) => ({ find })) },
  { weight: 1, arbitrary: fc.nat(400).map((waitMs) => ({ waitMs })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2000 }).map((resizeMs) => ({ resizeMs })) },
);

test('the window knows what its twin knows, and holds no memory when its stream is closed', () => {
  const kernel = new Kernel({ module, seed: [1, 2] });
  const streams = new StreamKernel(kernel);
  const account = kernel.openAccount(1);
  const warm = streams.open(1, account, 'warm', '');
  streams.exports.closeStream(warm);
  const before = kernel.exports.liveBytes();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const handle = streams.open(1, account, 'S', '');
      const ids = new KernelIds(handle, streams);
      let nowMs = 1_800_000_000_000;
      const plain = new PlainIds(() => nowMs);
      const tell = (): void => kernel.exports.setNow(Math.floor(nowMs / 1000), (nowMs % 1000) * 1e6);
      for (const each of [ids, plain]) each.resize(windowMs);
      tell();
      for (const [index, what] of steps.entries()) {
        if ('waitMs' in what) nowMs += what.waitMs;
        else if ('resizeMs' in what) for (const each of [ids, plain]) each.resize(what.resizeMs);
        tell();
        const at = { seconds: Math.floor(nowMs / 1000), nanos: (nowMs % 1000) * 1e6 };
        if ('add' in what) for (const each of [ids, plain]) each.add(what.add, index + 1, at);
        if ('find' in what) assert.equal(ids.find(what.find), plain.find(what.find));
      }
      for (let each = 0; each <= 40; each++) assert.equal(ids.find(String(each)), plain.find(String(each)));
      assert.equal(streams.exports.rememberedIds(handle), plain.size);
      streams.exports.closeStream(handle);
    }),
  );
  assert.equal(kernel.exports.liveBytes(), before);
});
