/**
 * Temporary folders for tests. Each is private to its caller and is removed when the process ends, whatever the test's outcome,
 * so that a failing run leaves nothing behind unless KEEP_TEMPORARY is set to look at it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
