// What `node dist/main.js` runs: it starts the program beside it, dist/program.js, from the code that the build compiled once and kept, so that
// V8 neither reads through 1.4 MB of source nor compiles again what every start runs. Without it a start takes a third longer.
//
// Kept code is of one version of Node, which its file's name says, and of one program: the build removes it before it replaces the program.
// Where it is missing, or V8 refuses it (it was started with other flags), the program is compiled as any other.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/** The program's file is a function of what CommonJS gives a module. */
type Program = (exports: object, require: NodeJS.Require, module: object, filename: string, directory: string) => void;

function keptCode(directory: string): Buffer | undefined {
  try {
    return readFileSync(join(directory, `program.${process.version}-${process.arch}.code`));
  } catch {
    return undefined;
  }
}

function runProgram(directory: string): void {
  const filename = join(directory, 'program.js');
  const cachedData = keptCode(directory);
  // The build writes ASCII, which is read as it is.
  const source = readFileSync(filename, 'latin1');
  const program = new Script(source, { filename, ...(cachedData && { cachedData }) }).runInThisContext() as Program;
  const module = { exports: {} };
  program(module.exports, createRequire(filename), module, filename, directory);
}

runProgram(dirname(fileURLToPath(import.meta.url)));
