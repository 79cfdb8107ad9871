// Bundles the server into dist/: program.js and main.js (which starts it, see ts/app/launch.ts), index.js (the embed API), matcher.js (the embeddable matcher) and jobs-worker.js (what the
// pool's threads run), all CommonJS because that starts fastest, with the Wasm kernels beside them. Packages that are needed late or never (the pool,
// WebSocket, metrics) and files of ours that bring such packages with them (OCSP documents) become files of their own under dist/vendor/, loaded by the `await import()` that asks for them; a static import of one of them
// would cost every start its load time and is an error here.

import { build } from 'esbuild';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, relative } from 'node:path';
import { replaceFile } from './files.mjs';
import { kernels } from './build-wasm.mjs';
import { keepCode } from './keep-code.mjs';
import { root } from './root.mjs';

const require = createRequire(import.meta.url);
const dist = join(root, 'dist');

const here = `const importMetaUrl = require('node:url').pathToFileURL(__filename).href;`;

/** What ends up in dist/: name, source, whether late packages may be imported statically, what stands around it, file mode. */
const bundles = [
  {
    name: 'program.js',
    source: 'ts/app/main.ts',
    lateOnly: true,
    before: `(function (exports, require, module, __filename, __dirname) { ${here}`,
    after: '})',
  },
  { name: 'main.js', source: 'ts/app/launch.ts', lateOnly: true, before: `#!/usr/bin/env node\n${here}`, mode: 0o755 },
  { name: 'index.js', source: 'ts/app/index.ts', lateOnly: true, before: here },
  { name: 'matcher.js', source: 'ts/matcher/index.ts', lateOnly: true, before: here },
  { name: 'jobs-worker.js', source: 'ts/node/jobs-worker.ts', lateOnly: false, before: here },
];

/** Packages loaded at first use: name, and the files of it that must stand beside each other (piscina finds its worker by name). */
const latePackages = [
  { name: 'piscina', files: { 'index.js': 'piscina', 'worker.js': 'piscina/dist/worker.js' } },
  { name: 'prom-client', files: { 'index.js': 'prom-client' } },
  { name: 'ws', files: { 'index.js': 'ws' } },
];

/** Our own files loaded at first use, with the packages they bring. */
const lateFiles = ['ocsp-documents'];

/** Packages that only those files may bring. */
const broughtPackages = /^@peculiar\//;

/** Native or optional: looked for when the program runs, never bundled. */
const external = ['mmap-io', '@napi-rs/nice', 'bufferutil', 'utf-8-validate'];

/** @type {import('esbuild').BuildOptions} */
const shape = {
  bundle: true,
  write: false,
  platform: 'node',
  format: 'cjs',
  target: 'node20.20',
  external,
  legalComments: 'none',
  logLevel: 'warning',
  // `import()` becomes a require that gives the same names as the import would.
  supported: { 'dynamic-import': false },
  metafile: true,
  absWorkingDir: root,
};

/**
 * Sends imports of the late packages to dist/vendor/.
 * @param {boolean} lateOnly
 * @returns {import('esbuild').Plugin}
 */
function latePackagePlugin(lateOnly) {
  return {
    name: 'late-packages',
    setup(context) {
      const filter = new RegExp(`^(${latePackages.map((late) => late.name).join('|')})$`);
      context.onResolve({ filter }, ({ path, kind, importer }) => {
        if (lateOnly && kind === 'import-statement') {
          return {
            errors: [
              { text: `${relative(root, importer)} must load ${path} at first use: const { … } = await import('${path}')` },
            ],
          };
        }
        return { path: `./vendor/${path}/index.js`, external: true };
      });
      const ownFilter = new RegExp(`/(${lateFiles.join('|')})\\.ts$`);
      context.onResolve({ filter: ownFilter }, ({ path, kind, importer }) => {
        if (kind === 'import-statement') {
          return { errors: [{ text: `${relative(root, importer)} must load ${path} at first use, with await import()` }] };
        }
        return { path: `./vendor/${basename(path, '.ts')}/index.js`, external: true };
      });
      context.onResolve({ filter: broughtPackages }, ({ path, importer }) => {
        return {
          errors: [{ text: `${relative(root, importer)} imports ${path}, which only ${lateFiles.join(', ')} may bring` }],
        };
      });
    },
  };
}

/**
 * Adds the folders of the packages that a bundle took in.
 * @param {Set<string>} packages
 * @param {import('esbuild').BuildResult} result
 */
function notePackages(packages, result) {
  for (const input of Object.keys(result.metafile?.inputs ?? {})) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found?.[1]) packages.add(found[1]);
  }
}

/**
 * The bundler writes strings in ASCII, but neither regular expressions nor comments. One other character makes a source twice as long in memory
 * and its reading five times as slow.
 * @param {string} text
 */
function inAscii(text) {
  return text.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * @param {{ name: string, source: string, lateOnly: boolean, before: string, after?: string, mode?: number }} bundle
 * @param {Set<string>} packages
 */
async function writeBundle({ name, source, lateOnly, before, after = '', mode }, packages) {
  const result = await build({
    ...shape,
    entryPoints: [source],
    outfile: join(dist, name),
    plugins: [latePackagePlugin(lateOnly)],
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: before },
    footer: { js: after },
  });
  notePackages(packages, result);
  for (const { path, text } of result.outputFiles ?? []) {
    const ascii = inAscii(text);
    if (name === 'program.js' && !(existsSync(path) && readFileSync(path, 'latin1') === ascii)) forgetCode();
    replaceFile(path, ascii, mode);
  }
}

/** Code that was kept of a program is no other program's: V8 would compare nothing but the length. */
function forgetCode() {
  for (const file of readdirSync(dist)) if (/^program\..*\.code$/.test(file)) rmSync(join(dist, file));
}

/** @param {Set<string>} packages */
async function writeLatePackages(packages) {
  for (const { name, files } of latePackages) {
    for (const [file, source] of Object.entries(files)) {
      const entry = source === name ? require.resolve(name) : join(root, 'node_modules', source);
      const result = await build({ ...shape, entryPoints: [entry], outfile: join(dist, 'vendor', name, file) });
      notePackages(packages, result);
      for (const output of result.outputFiles ?? []) replaceFile(output.path, output.contents);
    }
  }
  for (const name of lateFiles) {
    const result = await build({
      ...shape,
      entryPoints: [`ts/node/${name}.ts`],
      outfile: join(dist, 'vendor', name, 'index.js'),
    });
    notePackages(packages, result);
    for (const output of result.outputFiles ?? []) replaceFile(output.path, output.contents);
  }
}

/**
 * The licences of what was bundled have to travel with it.
 * @param {Set<string>} packages
 */
function writeLicences(packages) {
  const parts = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(root, folder, file), 'utf8').trim() : ''}\n`;
  });
  replaceFile(join(dist, 'third-party-licences.txt'), parts.join(`\n${'-'.repeat(80)}\n\n`));
}

function copyKernels() {
  for (const name of kernels) {
    const source = join(root, 'build/wasm', `${name}.wasm`);
    if (existsSync(source)) replaceFile(join(dist, `${name}.wasm`), readFileSync(source));
    else rmSync(join(dist, `${name}.wasm`), { force: true });
  }
}

/** What is bundled is CommonJS, and so are its types: programs of both kinds can import it. */
function markCommonJs() {
  for (const folder of [dist, join(root, 'build/types')]) {
    mkdirSync(folder, { recursive: true });
    replaceFile(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
  }
}

/** Writes dist/ from what exists. Returns how many bundles failed. */
export async function buildBundles() {
  markCommonJs();
  copyKernels();
  /** @type {Set<string>} */
  const packages = new Set();
  const present = bundles.filter(({ source }) => existsSync(join(root, source)));
  const results = await Promise.allSettled([
    writeLatePackages(packages),
    ...present.map((bundle) => writeBundle(bundle, packages)),
  ]);
  writeLicences(packages);
  const failed = results.filter((result) => result.status === 'rejected');
  for (const { reason } of failed) if (!reason.errors) console.error('build:', reason);
  const code = join(dist, `program.${process.version}-${process.arch}.code`);
  if (failed.length === 0 && !existsSync(code)) await keepCode(code);
  return failed.length;
}
