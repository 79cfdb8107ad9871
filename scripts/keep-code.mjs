// Keeps the compiled code of dist/program.js, which dist/main.js starts from: runs the server once, through that very launcher, and when it ends
// asks V8 for the code of what was compiled until then: all that a start and the first connection run, and nothing else.
//
//   node scripts/keep-code.mjs FILE ARGUMENTS...   runs the server with these arguments, writes FILE at its end

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
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
    // The program has V8 keep its young generation small; code is taken only by a V8 with the flags that it was made with, which are V8's own then.
    setFlagsFromString('--semi-space-growth-factor=2');
    if (program) replaceFile(file, program.createCachedData());
  });
  process.argv = [process.execPath, launcher, ...args];
  createRequire(import.meta.url)(launcher);
}

/**
 * Connects once, subscribes and leaves.
 * @param {number} port
 */
function visit(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.end('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\nSUB visited 1\r\nPING\r\n');
    });
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.on('close', resolve);
  });
}

/**
 * Starts the server in a process of its own, and ends it when it is ready and was visited. A kept file that is not there afterwards is no failure: starts are slower then.
 * @param {string} file
 */
export async function keepCode(file) {
  const store = mkdtempSync(join(tmpdir(), 'slipstream-build-'));
  const server = spawn(process.execPath, [self, file, '-a', '127.0.0.1', '-p', '-1', '-js', '-sd', store], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  let ready = false;
  server.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
    if (ready || !said.includes('Server is ready')) return;
    ready = true;
    const [, port] = /Listening for client connections on \S+:(\d+)/.exec(said) ?? [];
    void visit(Number(port)).then(() => server.kill('SIGTERM'));
  });
  const code = await new Promise((resolve) => server.once('close', resolve));
  rmSync(store, { recursive: true, force: true });
  if (code !== 0) console.error(`build: no code kept, the server ended with ${code}:\n${said}`);
}

const [, main, file, ...args] = process.argv;
if (main === self && file !== undefined) serveAndKeep(file, args);
