#!/usr/bin/env node
// Holds the kernels' AssemblyScript to the house's rules (scripts/house-rules.mjs), as oxlint does for TypeScript.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder } from './files.mjs';
import { checkAssemblyScript, report } from './house-rules.mjs';
import { root } from './root.mjs';

const paths = filesUnder('wasm', /\.ts$/);
const findings = paths.flatMap((path) => checkAssemblyScript(path, readFileSync(join(root, path), 'utf8')));
process.exitCode = report('tidy-wasm', findings, paths.length);
