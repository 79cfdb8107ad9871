/**
 * Starts a server under test in a child process: Slipstream (dist/main.js, or the sources through tsx) or the Go nats-server.
 * It listens on a port the system chose; the ports are read from the log lines that both servers print, and readiness is the line
 * `Server is ready`, so nothing here sleeps. Each server has a folder of its own, and none outlives the test process.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { patienceMs } from './patience.ts';
import { findPeer, repositoryRoot } from './peers.ts';
import { removeFolder, temporaryFolder } from './temporary.ts';

export type ServerKind = 'slipstream' | 'nats-server';

export interface ServerOptions {
  /** Text of the configuration file; none is given to the server when absent. */
  readonly config?: string;
  readonly args?: readonly string[];
  /** Kept by the caller when given, e.g. to restart over the same store. */
  readonly folder?: string;
  /** -1, any port, unless a restart has to take the old one. */
  readonly port?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The log line of each listener, as both servers write it. */
const listenerLines = {
  client: /Listening for client connections on (\S+):(\d+)/,
  websocket: /Listening for websocket clients on wss?:\/\/(\S+):(\d+)/,
  monitoring: /Starting https? monitor on (\S+):(\d+)/,
  leaf: /Listening for leafnode connections on (\S+):(\d+)/,
} as const;

export type ListenerName = keyof typeof listenerLines;

const live = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

/** The program and first arguments of a server. */
export function commandOf(kind: ServerKind): readonly string[] {
  if (kind === 'nats-server') {
    const path = findPeer('nats-server');
    if (path === undefined) throw new Error('nats-server not found on this machine');
    return [path];
  }
  const chosen = process.env['SLIPSTREAM_MAIN'];
  const bundle = chosen ?? join(repositoryRoot, 'dist', 'main.js');
  if (existsSync(bundle)) return [process.execPath, bundle];
  return [process.execPath, '--import', 'tsx', join(repositoryRoot, 'ts', 'app', 'main.ts')];
}

export class ServerProcess {
  readonly kind: ServerKind;
  readonly folder: string;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #ownsFolder: boolean;
  readonly #listeners = new Set<() => void>();
  #log = '';
  #exit: Exit | undefined;

  private constructor(kind: ServerKind, child: ChildProcess, folder: string, ownsFolder: boolean) {
    this.kind = kind;
    this.folder = folder;
    this.#child = child;
    this.#ownsFolder = ownsFolder;
    live.add(child);
    const onText = (chunk: Buffer): void => {
      this.#log += chunk.toString('utf8');
      for (const listener of [...this.#listeners]) listener();
    };
    child.stderr?.on('data', onText);
    child.stdout?.on('data', onText);
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        live.delete(child);
        this.#exit = { code, signal };
        for (const listener of [...this.#listeners]) listener();
        resolve(this.#exit);
      });
    });
  }

  /** Runs the program with no wish that it becomes ready: for tests of failing starts and of commands like `-t`. */
  static run(kind: ServerKind, args: readonly string[], options: ServerOptions = {}): ServerProcess {
    const folder = options.folder ?? temporaryFolder();
    const [program, ...first] = commandOf(kind);
    const all = [...first, ...args];
    if (options.config !== undefined) {
      const path = join(folder, 'server.conf');
      writeFileSync(path, options.config);
      all.push('-c', path);
    }
    const child = spawn(program as string, all, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: childEnvironment() });
    return new ServerProcess(kind, child, folder, options.folder === undefined);
  }

  static async start(kind: ServerKind, options: ServerOptions = {}): Promise<ServerProcess> {
    const args = ['-a', '127.0.0.1', '-p', String(options.port ?? -1), ...(options.args ?? [])];
    const server = ServerProcess.run(kind, args, options);
    try {
      await server.waitForLog(/Server is ready/, patienceMs);
    } catch (error) {
      await server.kill();
      throw error;
    }
    return server;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get log(): string {
    return this.#log;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** The port the client listener took. */
  get port(): number {
    return this.portOf('client');
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  portOf(listener: ListenerName): number {
    const match = listenerLines[listener].exec(this.#log);
    if (match === null) throw new Error(`${this.kind} logged no ${listener} listener:\n${this.#log}`);
    return Number(match[2]);
  }

  /** Resolves when the log has a match; rejects with the log when the process ends or the time is over before. */
  waitForLog(pattern: RegExp, withinMs = patienceMs): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const settle = (): boolean => {
        const match = pattern.exec(this.#log);
        if (match === null && this.#exit === undefined) return false;
        clearTimeout(timer);
        this.#listeners.delete(settle);
        if (match !== null) resolve(match);
        else
          reject(
            new Error(
              `${this.kind} exited with ${this.#exit?.code ?? this.#exit?.signal}, no ${pattern} in its log:\n${this.#log}`,
            ),
          );
        return true;
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(settle);
        reject(new Error(`no ${pattern} in the log of ${this.kind} within ${withinMs} ms:\n${this.#log}`));
      }, withinMs);
      if (!settle()) this.#listeners.add(settle);
    });
  }

  /** Rewrites the configuration file; `signal('SIGHUP')` makes the server read it. */
  writeConfig(config: string): void {
    writeFileSync(join(this.folder, 'server.conf'), config);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** SIGTERM and the end of the process. */
  async stop(): Promise<Exit> {
    this.signal('SIGTERM');
    return this.#ended();
  }

  /** SIGKILL, as after a power failure. */
  async kill(): Promise<Exit> {
    this.signal('SIGKILL');
    return this.#ended();
  }

  async #ended(): Promise<Exit> {
    const exit = await this.exited;
    if (this.#ownsFolder) removeFolder(this.folder);
    return exit;
  }
}

/** Starts a server that ends with the test, however that ends. */
export async function serverFor(
  context: { after(work: () => unknown): void },
  kind: ServerKind,
  options: ServerOptions = {},
): Promise<ServerProcess> {
  const server = await ServerProcess.start(kind, options);
  context.after(() => server.kill());
  return server;
}

/** The environment without what would change how the child loads. */
function childEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...rest } = process.env;
  return rest;
}
