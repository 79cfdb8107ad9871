/**
 * HighwayHash-64, the checksum of everything on disk: content of a block's size under a name, so that making the key from
 * the name does not show.
 */
import { Kernel } from '../../ts/kernel/kernel.ts';
import type { CoreExports } from '../../ts/kernel/exports.ts';
import type { StreamExports } from '../../ts/kernel/stream-exports.ts';
import { loadKernel } from '../../ts/node/wasm.ts';
import { nanosEach, table } from './measure.ts';

const size = 65_536;

export function highwayFigures(): string {
  const kernel = new Kernel<CoreExports & StreamExports>({ module: loadKernel('server', import.meta.dirname), seed: [1, 2] });
  const block = kernel.exports.alloc(size + 64) >>> 0;
  kernel.memory.bytes(block, size).fill(7);
  const ns = nanosEach(
    (operations) => {
      for (let i = 0; i < operations; i++) kernel.exports.hashNamed(block, block + 32, 8, block + 64, size - 64);
    },
    2000,
    7,
  );
  return table('HighwayHash-64', [
    { name: 'a KiB', value: ns / (size / 1024), unit: 'ns' },
    { name: 'bytes a second', value: (size * 1e9) / ns, unit: 'B/s' },
  ]);
}
