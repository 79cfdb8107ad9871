/**
 * Temporary folders for tests. Each is private to its caller and is removed when the process ends, whatever the test's outcome,
 * so that a failing run leaves nothing behind unless KEEP_TEMPORARY is set to look at it.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made = new Set<string>();

process.on('exit', () => {
  if (process.env['KEEP_TEMPORARY'] !== undefined) return;
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-test-'));
  made.add(folder);
  return folder;
}

/** A store's directory as a kill leaves it, but for what is removed from it meanwhile. */
export function killedStore(root: string): string {
  const left = temporaryFolder();
  cpSync(root, left, { recursive: true, filter: (path) => !/\/(__msgs__|\.removed)$/.test(path) });
  return left;
}

/** Writes a file into a new temporary folder and returns its path. */
export function temporaryFile(name: string, content: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

export function removeFolder(folder: string): void {
  if (process.env['KEEP_TEMPORARY'] !== undefined) return;
  rmSync(folder, { recursive: true, force: true });
  made.delete(folder);
}
