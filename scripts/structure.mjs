#!/usr/bin/env node
// Holds every source file to the house's rules about size, opening comment and names (scripts/house-rules.mjs). The arrows between folders are
// dependency-cruiser's part.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder } from './files.mjs';
import { checkNames, checkShape, report } from './house-rules.mjs';
import { root } from './root.mjs';

const folders = ['ts', 'wasm', 'test', 'bench', 'scripts'];

// The rules and their test have to spell out the very words that they forbid.
const speaksOfRules = /^(scripts\/house-rules\.mjs|test\/unit\/scripts\/house-rules\.test\.ts)$/;

const paths = folders.flatMap((folder) => filesUnder(folder, /\.(ts|mjs)$/)).filter((path) => !speaksOfRules.test(path));
const findings = paths.flatMap((path) => [...checkNames(path), ...checkShape(path, readFileSync(join(root, path), 'utf8'))]);
process.exitCode = report('structure', findings, paths.length);
