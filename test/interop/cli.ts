/** Runs the `nats` CLI against a server under test and gives back what it printed. */
import { spawn } from 'node:child_process';
import { patienceMs } from '../support/patience.ts';
import { findPeer } from '../support/peers.ts';
import type { ServerProcess } from '../support/server.ts';
import type { Credentials } from './credentials.ts';

export interface CliResult {
  readonly code: number | null;
  readonly output: string;
}

export interface CliRun {
  readonly finished: Promise<CliResult>;
  /** Resolves when the output so far has a match. */
  shows(pattern: RegExp): Promise<void>;
  stop(): Promise<CliResult>;
}

export function flagsOf({ user, pass, token, nkeySeedFile, tls }: Credentials): string[] {
  return [
    ...(user === undefined ? [] : ['--user', user]),
    ...(pass === undefined ? [] : ['--password', pass]),
    ...(token === undefined ? [] : ['--user', token]),
    ...(nkeySeedFile === undefined ? [] : ['--nkey', nkeySeedFile]),
    ...(tls === undefined ? [] : ['--tlsca', tls.ca]),
    ...(tls?.cert === undefined ? [] : ['--tlscert', tls.cert]),
    ...(tls?.key === undefined ? [] : ['--tlskey', tls.key]),
  ];
}

export function startCli(server: ServerProcess, args: readonly string[], credentials: Credentials = {}): CliRun {
  const program = findPeer('nats');
  if (program === undefined) throw new Error('the nats CLI was not found');
  const url = `nats://localhost:${server.port}`;
  const child = spawn(
    program,
    ['--server', url, '--no-context', '--timeout', `${patienceMs}ms`, ...flagsOf(credentials), ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    },
  );
  let output = '';
  const waiting = new Set<() => void>();
  const heard = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const wake of waiting) wake();
  };
  child.stdout.on('data', heard);
  child.stderr.on('data', heard);
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const finished = new Promise<CliResult>((resolve) => {
    child.once('close', (code) => {
      clearTimeout(timer);
      for (const wake of waiting) wake();
      resolve({ code, output });
    });
  });
  const shows = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!pattern.test(output) && child.exitCode === null) return;
        waiting.delete(look);
        if (pattern.test(output)) resolve();
        else reject(new Error(`nats ${args.join(' ')} ended without ${pattern}:\n${output}`));
      };
      waiting.add(look);
      look();
    });
  const stop = (): Promise<CliResult> => {
    child.kill('SIGINT');
    return finished;
  };
  return { finished, shows, stop };
}

/** Runs to the end; fails unless it exits 0. */
export async function cli(server: ServerProcess, args: readonly string[], credentials: Credentials = {}): Promise<string> {
  const { code, output } = await startCli(server, args, credentials).finished;
  if (code !== 0) throw new Error(`nats ${args.join(' ')} exited with ${code}:\n${output}`);
  return output;
}
