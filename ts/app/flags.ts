// The command line of this process: the pure decision of core/cli with the real files, environment and hash behind it.
// Kept true: what is to be shown is shown in one place, and the process's exit code comes back from there.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { loadOptions } from '../core/cli/load-options.ts';
import type { Loaded } from '../core/cli/load-options.ts';
import type { TlsOptions } from '../core/config/options.ts';
import { sendSignal } from '../node/send-signal.ts';
import { loadTls } from '../node/tls-context.ts';
import { COMPATIBLE_VERSION } from './version.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
};

function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(`${code === 'EISDIR' ? 'read' : 'open'} ${path}: ${REASONS[code] ?? message}`, { cause: error });
  }
}

/** What is wrong with the files of a TLS block. One that names none is for outgoing connections. */
function checkTls(tls: TlsOptions): string | undefined {
  if (tls.certFile === '' && tls.certs.length === 0 && tls.caFile === '') return undefined;
  try {
    loadTls(tls);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The name that messages give to this program: of its link or script, as it was called. */
export function programName(script = process.argv[1] ?? ''): string {
  const name = basename(script).replace(/\.[cm]?[jt]s$/, '');
  return name === '' || name === 'main' ? 'slipstream' : name;
}

/** Reads the command line and the file it names. Called again for every reload. */
export function loadFromProcess(argv: readonly string[] = process.argv.slice(2)): Loaded {
  return loadOptions({
    argv,
    program: programName(),
    version: COMPATIBLE_VERSION,
    env: process.env,
    readFile: readConfigFile,
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    checkTls,
  });
}

/** Carries out everything but running a server. Gives the exit code. */
export function finish(loaded: Exclude<Loaded, { action: 'run' }>): number {
  if (loaded.action !== 'signal') {
    process.stdout.write(loaded.stdout);
    process.stderr.write(loaded.stderr);
    return loaded.exitCode;
  }
  try {
    sendSignal(loaded.request);
    return 0;
  } catch (error) {
    process.stderr.write(`${programName()}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
