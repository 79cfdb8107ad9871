/**
 * Finds the programs that tests run beside Slipstream: the Go `nats-server`, the `nats` CLI, `openssl` and a Python with nats-py.
 * It exists so that a machine without one of them skips the tests that ask for it, with the reason, and never fails or installs anything.
 * Looked up, in this order: an environment variable, build/peers (where scripts/ puts what it builds), PATH, and Go's own bin folder.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

export type PeerName = 'nats-server' | 'nats' | 'openssl' | 'python3';

const variableOf: Record<PeerName, string> = {
  'nats-server': 'NATS_SERVER',
  nats: 'NATS_CLI',
  openssl: 'OPENSSL',
  python3: 'PYTHON',
};

function runnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const found = new Map<PeerName, string | undefined>();

/** The path of a peer program, or undefined when this machine has none. */
export function findPeer(name: PeerName): string | undefined {
  if (found.has(name)) return found.get(name);
  const folders = [
    join(repositoryRoot, 'build', 'peers'),
    ...(process.env['PATH'] ?? '').split(delimiter),
    join(homedir(), 'go', 'bin'),
  ];
  const candidates = [process.env[variableOf[name]], ...folders.map((folder) => join(folder, name))];
  const path = candidates.find(
    (candidate): candidate is string => candidate !== undefined && candidate !== '' && runnable(candidate),
  );
  found.set(name, path);
  return path;
}

/** What `test(name, { skip })` wants: false when all peers are there, else the reason. */
export function skipWithout(...names: readonly PeerName[]): string | false {
  const missing = names.filter((name) => findPeer(name) === undefined);
  return missing.length === 0 ? false : `${missing.join(' and ')} not found on this machine`;
}

/** The reason to skip a test that needs a Python with certain modules, or false. */
export function skipWithoutPython(...modules: readonly string[]): string | false {
  const python = findPeer('python3');
  if (python === undefined) return 'python3 not found on this machine';
  const tried = spawnSync(python, ['-c', modules.map((module) => `import ${module}`).join('\n')]);
  return tried.status === 0 ? false : `${python} lacks ${modules.join(' or ')}`;
}
