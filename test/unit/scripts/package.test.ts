// What a fresh clone relies on: the lock file works with any registry, and every script in package.json names a file that exists. And what a
// program relies on that installs the package.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../../scripts/root.mjs';

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
}

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as Package;

test('the lock file names versions and checksums, no registry', () => {
  const hosts = read('package-lock.json').match(/"resolved": "https?:\/\/[^/"]+/g) ?? [];
  assert.deepEqual(hosts, []);
});

test('the lock file has every platform package that something in it may want, since npm ci refuses it otherwise', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as Lock;
  const present = new Set(
    Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  );
  const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
  assert.deepEqual(
    wanted.filter((name) => !present.has(name)),
    [],
  );
});

test('every file that a script runs exists', () => {
  const built = /^dist\//;
  const named = Object.values(manifest.scripts).flatMap((script) => script.match(/[\w.*/-]+\.(?:mjs|cjs|ts|js)\b/g) ?? []);
  const place = (path: string): string => (path.includes('*') ? dirname(path) : path);
  const missing = named.filter((path) => !built.test(path) && !existsSync(join(root, place(path))));
  assert.deepEqual(missing, []);
});

test('what the server needs when it runs is not a development dependency', () => {
  for (const name of ['piscina', 'ws', 'prom-client']) assert.ok(manifest.dependencies[name], name);
  for (const name of ['esbuild', 'assemblyscript', 'tsx']) assert.ok(manifest.devDependencies[name], name);
});

/** The kind of modules in a file's folder: what the nearest package.json says. */
function moduleKind(file: string): string {
  let folder = dirname(file);
  while (!existsSync(join(root, folder, 'package.json'))) folder = dirname(folder);
  return (JSON.parse(read(join(folder, 'package.json'))) as { readonly type?: string }).type ?? 'commonjs';
}

test('the types of an entry are of the same kind as its code, so that CommonJS and ES modules can import both', () => {
  for (const entry of Object.values(manifest.exports))
    if (typeof entry !== 'string') assert.equal(moduleKind(entry.types), moduleKind(entry.default), entry.types);
});
