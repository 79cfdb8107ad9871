// Small file work that several scripts share: listing a tree, and replacing a file so that a reader sees the old or the new one, never half.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from './root.mjs';

/**
 * Every file under a folder of the repository, as paths from its root, in order.
 * @param {string} folder
 * @param {RegExp} [pattern]
 * @returns {string[]}
 */
export function filesUnder(folder, pattern = /./) {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => pattern.test(path))
    .sort();
}

/**
 * Writes a file under a name of its own and renames it into place; an equal file is left alone. True when something changed.
 * @param {string} path
 * @param {Uint8Array | string} content
 * @param {number} [mode]
 */
export function replaceFile(path, content, mode = 0o644) {
  const bytes =
    typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (existsSync(path) && readFileSync(path).equals(bytes)) return false;
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, bytes, { mode });
  renameSync(fresh, path);
  return true;
}
