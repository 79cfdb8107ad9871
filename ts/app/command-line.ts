// The command line and the configuration file of this process, read with the real files and environment.

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { loadOptions } from '../core/cli/load-options.ts';
import type { Loaded } from '../core/cli/load-options.ts';
import { redactedArguments } from '../core/cli/redact.ts';
import { checkTls, readConfigFile, readOperator } from './flags.ts';
import { COMPATIBLE_VERSION } from './version.ts';

/** What tools and texts call the program. */
export const PROGRAM = 'nats-server';

/** The name of the ports file: what the process was started as. */
export function startedAs(): string {
  const name = basename(process.argv[1] ?? PROGRAM).replace(/\.[cm]?[jt]s$/, '');
  return name === 'main' ? 'slipstream' : name;
}

/** The command line without its secrets. */
export function shownArguments(): string[] {
  return [...process.argv.slice(0, 2), ...redactedArguments(process.argv.slice(2))];
}

/** Takes secrets out of the process list. The title replaces the command line there, so it is left alone where there is nothing to hide. */
export function hideSecrets(): void {
  const shown = shownArguments().join(' ');
  if (shown !== process.argv.join(' ')) process.title = shown;
}

export function loadFromProcess(): Loaded {
  return loadArguments(process.argv.slice(2));
}

/** Reads arguments as if they were the command line. */
export function loadArguments(argv: readonly string[]): Loaded {
  return loadOptions({
    argv,
    program: PROGRAM,
    version: COMPATIBLE_VERSION,
    env: process.env,
    readFile: readConfigFile,
    checkTls,
    readOperator,
    sha256: (text) => createHash('sha256').update(text, 'utf8').digest('hex'),
  });
}
