// The files a running server leaves for others: the pid file for whoever signals it, the ports file for whoever asked for a free port.
// Kept true: the pid file is digits alone and stays after the end; a ports file appears whole or not at all, and goes with a clean exit.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { networkInterfaces } from 'node:os';
import { hostPort } from '../lib/address.ts';

/** Throws one clear line when it cannot be written. */
export function writePidFile(path: string): void {
  try {
    writeFileSync(path, String(process.pid), { mode: 0o600 });
  } catch (error) {
    throw new Error(`Could not write pidfile: ${(error as Error).message}`);
  }
}

/** What listens, by the keys of the ports file; a listener that is off is absent. */
export interface PortsFileEntry {
  /** Without `//`: `nats`, `http`, `wss`. */
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
}

export type PortsFileContent = Readonly<
  Partial<Record<'nats' | 'monitoring' | 'cluster' | 'profile' | 'websocket', PortsFileEntry>>
>;

/** The name under which test suites look for the file, whatever the program is called. */
const expectedProgram = 'nats-server';

export interface PortsFile {
  /** Takes the files away; a file that is gone already is no error. */
  remove(): void;
}

/** Writes `<folder>/<program>_<pid>.ports`, and the same as `nats-server_<pid>.ports`. Throws when one cannot be written. */
export function writePortsFile(folder: string, program: string, content: PortsFileContent): PortsFile {
  const names = new Set([basename(program), expectedProgram]);
  const paths = [...names].map((name) => join(folder, `${name}_${process.pid}.ports`));
  const text = portsText(content);
  for (const path of paths) {
    const unfinished = `${path}.tmp`;
    writeFileSync(unfinished, text, { mode: 0o644 });
    renameSync(unfinished, path);
  }
  return {
    remove: () => {
      for (const path of paths) rmSync(path, { force: true });
    },
  };
}

function portsText(content: PortsFileContent): string {
  const lists: Record<string, string[]> = {};
  for (const [key, entry] of Object.entries(content)) {
    if (entry !== undefined) lists[key] = urls(entry);
  }
  return JSON.stringify(lists);
}

/** One URL for each address the listener is reached under, the most local first. */
function urls({ scheme, host, port }: PortsFileEntry): string[] {
  const hosts = host === '' || host === '0.0.0.0' || host === '::' ? ownAddresses() : [host];
  return hosts.map((one) => `${scheme}://${hostPort(one, port)}`);
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
  const usable = all.filter(({ family, scopeid }) => family === 'IPv4' || scopeid === 0);
  const rank = ({ internal, family }: (typeof usable)[number]): number => (internal ? 0 : 2) + (family === 'IPv4' ? 0 : 1);
  const addresses = usable.sort((a, b) => rank(a) - rank(b)).map(({ address }) => address);
  return addresses.length === 0 ? ['127.0.0.1'] : addresses;
}
