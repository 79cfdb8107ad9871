// Keeps the compiled code of dist/program.js, which dist/main.js starts from: runs the server once, through that very launcher, and when it ends
// asks V8 for the code of what was compiled until then: all that a start runs, and nothing else.
//
//   node scripts/keep-code.mjs FILE ARGUMENTS...   runs the server with these arguments, writes FILE at its end

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { replaceFile } from './files.mjs';
import { root } from './root.mjs';

const self = fileURLToPath(import.meta.url);
const launcher = join(root, 'dist/main.js');

/**
 * In the process of the server.
 * @param {string} file
 * @param {string[]} args
 */
function serveAndKeep(file, args) {
  /** @type {vm.Script | undefined} */
  let program;
  vm.Script = class extends vm.Script {
    /** @param {ConstructorParameters<typeof vm.Script>} given */
    constructor(...given) {
      super(...given);
      program ??= this;
    }
  };
  process.once('exit', () => {
    if (program) replaceFile(file, program.createCachedData());
  });
  process.argv = [process.execPath, launcher, ...args];
  createRequire(import.meta.url)(launcher);
}

/**
 * Starts the server in a process of its own, and ends it when it is ready. A kept file that is not there afterwards is no failure: starts are slower then.
 * @param {string} file
 */
export async function keepCode(file) {
  const store = mkdtempSync(join(tmpdir(), 'slipstream-build-'));
  const server = spawn(process.execPath, [self, file, '-a', '127.0.0.1', '-p', '-1', '-js', '-sd', store], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
    if (said.includes('Server is ready')) server.kill('SIGTERM');
  });
  const code = await new Promise((resolve) => server.once('close', resolve));
  rmSync(store, { recursive: true, force: true });
  if (code !== 0) console.error(`build: no code kept, the server ended with ${code}:\n${said}`);
}

const [, main, file, ...args] = process.argv;
if (main === self && file !== undefined) serveAndKeep(file, args);
