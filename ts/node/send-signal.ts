// `--signal command[=pid|pidfile]`: finds the server meant and signals it. The pid is given, read from a file, or looked for among the
// running processes, where a prefix ending in `*` picks several.
// Kept true: without a pid exactly one server must be running; nothing is signalled when the command is unknown.

import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';

const commands = {
  stop: 'SIGKILL',
  quit: 'SIGINT',
  term: 'SIGTERM',
  reload: 'SIGHUP',
  reopen: 'SIGUSR1',
  ldm: 'SIGUSR2',
} as const satisfies Record<string, NodeJS.Signals>;

/** Programs that are this server, by the name of their executable or of the script an interpreter runs. */
const programs: ReadonlySet<string> = new Set(['slipstream', 'nats-server']);
const bundle = /(?:^|\/)(?:dist\/main\.js|ts\/app\/main\.ts)$/;

/** The world outside, replaced in tests. */
export interface SignalWorld {
  /** Command lines of all processes by pid. */
  processes(): ReadonlyMap<number, readonly string[]>;
  readText(path: string): string;
  kill(pid: number, signal: NodeJS.Signals): void;
  readonly ownPid: number;
}

/** Sends; throws an Error whose message is meant for the operator. `request` is what followed `--signal`. */
export function sendSignal(request: string, world: SignalWorld = systemWorld): void {
  const mark = request.indexOf('=');
  const command = mark < 0 ? request : request.slice(0, mark);
  const pids = targets(mark < 0 ? '' : request.slice(mark + 1), world);
  if (!isCommand(command)) throw new Error(`unknown signal "${command}"`);
  const failures: string[] = [];
  for (const pid of pids) {
    try {
      world.kill(pid, commands[command]);
    } catch (error) {
      failures.push(`signal "${command}" ${pid}: ${reason(error)}`);
    }
  }
  if (failures.length > 0) throw new Error(failures.join('\n'));
}

function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name);
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ESRCH') return 'no such process';
  return code === 'EPERM' ? 'operation not permitted' : message;
}

function targets(wanted: string, world: SignalWorld): readonly number[] {
  if (wanted !== '' && !wanted.endsWith('*')) return [givenPid(wanted, world)];
  const prefix = wanted.slice(0, -1);
  const running = serverPids(world).filter((pid) => String(pid).startsWith(prefix));
  if (running.length === 0) throw new Error('no nats-server processes running');
  if (wanted === '' && running.length > 1) throw new Error(`multiple nats-server processes running:\n${running.join('\n')}`);
  return running;
}

function givenPid(wanted: string, world: SignalWorld): number {
  if (/^\d+$/.test(wanted)) return Number(wanted);
  let text = wanted;
  try {
    text = world.readText(wanted).trim();
  } catch {
    throw new Error(`invalid pid: ${wanted}`);
  }
  if (!/^\d+$/.test(text)) throw new Error(`invalid pid: ${text}`);
  return Number(text);
}

/** Pids of running servers, ascending, this process left out. */
function serverPids(world: SignalWorld): number[] {
  const found = [...world.processes()].filter(([pid, words]) => pid !== world.ownPid && isServer(words));
  return found.map(([pid]) => pid).sort((a, b) => a - b);
}

function isServer(words: readonly string[]): boolean {
  const [program = '', ...rest] = words;
  if (rest.some((word) => /^--?(?:signal|sl)(?:=|$)/.test(word))) return false;
  if (programs.has(basename(program))) return true;
  if (!/^node(?:js)?$/.test(basename(program))) return false;
  const script = rest.find((word) => bundle.test(word) || programs.has(basename(word)));
  return script !== undefined;
}

const systemWorld: SignalWorld = {
  ownPid: process.pid,
  readText: (path) => readFileSync(path, 'utf8'),
  kill: (pid, signal) => void process.kill(pid, signal),
  processes: () => {
    const all = new Map<number, readonly string[]>();
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').filter(Boolean);
        // A process that renamed itself, to hide secrets, has its words in one.
        all.set(Number(entry), words.length === 1 ? (words[0] ?? '').split(' ') : words);
      } catch {
        // The process ended while the list was read.
      }
    }
    return all;
  },
};
