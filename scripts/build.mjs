#!/usr/bin/env node
// Builds everything that is not plain TypeScript: the Wasm kernels into build/wasm/, then the bundles and the kernels beside them into dist/.
// One build runs at a time (a lock in build/), each output is replaced by renaming, and kernels whose sources did not change are kept, so
// that `npm test` may build first each time. A kernel that fails to compile does not stop the rest; the exit code tells.
//
//   node scripts/build.mjs [wasm|bundle] [--debug] [--force] [--if-tools-present]

import { createRequire } from 'node:module';
import { withBuildLock } from './build-lock.mjs';
import { root } from './root.mjs';

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const flags = new Set(process.argv.slice(2).filter((word) => word.startsWith('--')));
const wants = (/** @type {string} */ part) => words.length === 0 || words.includes(part);

/** An install with --omit=dev has no compilers: `prepare` then leaves dist/ as it came. */
function toolsPresent() {
  const require = createRequire(root + 'package.json');
  try {
    require.resolve('esbuild');
    require.resolve('assemblyscript/package.json');
    return true;
  } catch {
    return false;
  }
}

async function build() {
  let failures = 0;
  if (wants('wasm')) {
    const { buildKernels } = await import('./build-wasm.mjs');
    failures += await buildKernels({ target: 'release', force: flags.has('--force') });
    if (flags.has('--debug')) failures += await buildKernels({ target: 'debug', force: flags.has('--force') });
  }
  if (wants('bundle')) {
    const { buildBundles } = await import('./build-bundle.mjs');
    failures += await buildBundles();
  }
  return failures;
}

if (flags.has('--if-tools-present') && !toolsPresent()) {
  console.log('build: the compilers are not installed (--omit=dev), dist/ stays as it is');
} else {
  process.exitCode = (await withBuildLock(build)) === 0 ? 0 : 1;
}
