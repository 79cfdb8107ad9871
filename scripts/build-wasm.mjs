// Compiles each kernel (an entry file under wasm/entry/) with asc into build/wasm/. A stamp beside each output holds the hash of everything it was
// made from (the entry and what it imports, the options, the compiler's version), so that an unchanged kernel costs one read of its sources.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { root } from './root.mjs';

/** The kernels there may be; an entry that does not exist is passed over. */
export const kernels = ['server', 'jobs', 'matcher'];

const require = createRequire(import.meta.url);
const compiler = join(dirname(require.resolve('assemblyscript/package.json')), 'bin/asc.js');
const compilerVersion = require('assemblyscript/package.json').version;
const importPattern = /(?:from|import)\s+['"](\.[^'"]+)['"]/g;

/**
 * The entry and every file it imports, directly or not, as absolute paths in order.
 * @param {string} entry
 */
function sourcesOf(entry) {
  const found = new Set([entry]);
  for (const path of found) {
    for (const [, specifier] of readFileSync(path, 'utf8').matchAll(importPattern)) {
      const plain = join(dirname(path), String(specifier));
      const source = [plain, `${plain}.ts`, join(plain, 'index.ts')].find((name) => name.endsWith('.ts') && existsSync(name));
      if (source) found.add(source);
    }
  }
  return [...found].sort();
}

/**
 * @param {string} entry
 * @param {string} target
 */
function stampOf(entry, target) {
  const hash = createHash('sha256')
    .update(compilerVersion)
    .update(target)
    .update(readFileSync(join(root, 'asconfig.json')));
  for (const path of sourcesOf(entry)) hash.update(relative(root, path)).update(readFileSync(path));
  return hash.digest('hex');
}

/**
 * @param {string} entry
 * @param {string} target
 * @param {string} outFile
 * @returns {Promise<boolean>}
 */
function compile(entry, target, outFile) {
  const options = ['--config', 'asconfig.json', '--target', target, '--outFile', relative(root, outFile)];
  const child = spawn(process.execPath, [compiler, relative(root, entry), ...options], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve) => {
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });
}

/**
 * Compiles one kernel when its stamp is not the one of its last output. Returns 1 when it failed, else 0.
 * @param {string} name
 * @param {{ target: 'release' | 'debug', force: boolean }} options
 */
async function buildKernel(name, { target, force }) {
  const entry = join(root, 'wasm/entry', `${name}.ts`);
  if (!existsSync(entry)) return 0;
  const base = join(root, 'build/wasm', target === 'release' ? name : `${name}.debug`);
  const stamp = stampOf(entry, target);
  const upToDate = existsSync(`${base}.wasm`) && existsSync(`${base}.stamp`) && readFileSync(`${base}.stamp`, 'utf8') === stamp;
  if (upToDate && !force) return 0;
  const started = performance.now();
  const fresh = `${base}.${process.pid}.wasm`;
  if (!(await compile(entry, target, fresh))) {
    rmSync(fresh, { force: true });
    console.error(`build: the kernel ${name} (${target}) does not compile`);
    return 1;
  }
  renameSync(fresh, `${base}.wasm`);
  writeFileSync(`${base}.stamp`, stamp);
  console.log(`build: ${relative(root, base)}.wasm in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return 0;
}

/**
 * Compiles the kernels that need it, side by side. Returns how many failed.
 * @param {{ target: 'release' | 'debug', force: boolean }} options
 */
export async function buildKernels(options) {
  mkdirSync(join(root, 'build/wasm'), { recursive: true });
  const results = await Promise.all(kernels.map((name) => buildKernel(name, options)));
  return results.filter((failed) => failed !== 0).length;
}
