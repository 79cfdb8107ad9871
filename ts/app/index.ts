// The embed API: a server inside another program, a test above all. It takes nats-server's own flags, so that whatever the binary can be
// told can be told here, and leaves signals, files and the exit code of the process to the program around it. Several live side by side.

import type { Server } from '../engine/server/server.ts';
import type { EngineView } from '../engine/snapshot.ts';
import type { HttpListening } from '../node/http.ts';
import { openLogOrSyslog } from '../node/log.ts';
import type { ServerLog } from '../node/log.ts';
import { loadArguments, startedAs } from './command-line.ts';
import { openMonitoring } from './monitoring.ts';
import { buildServer } from './server.ts';
import { silentLog } from './silent-log.ts';
import { messageOf } from '../lib/message-of.ts';

export interface EmbeddedServer {
  /** Where clients connect: `nats://127.0.0.1:4222`. */
  readonly url: string;
  readonly port: number;
  /** Where monitoring answers, when `-m` or the configuration asked for it. */
  readonly monitoringUrl: string | undefined;
  /** Connections, subscriptions, counters and JetStream, as the monitoring endpoints show them. */
  readonly view: EngineView;
  /** Sends clients away over the lame duck period, then stops. */
  lameDuck(): Promise<void>;
  /** Stops: everything acknowledged is on disk, every connection and listener is closed. May be called twice. */
  stop(): Promise<void>;
}

/** What the server was told makes no sense, or could not be had: the text says what and where. */
export class StartError extends Error {
  override name = 'StartError';
}

function reachable(host: string): string {
  return host === '' || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}

function embedded(server: Server, monitoring: HttpListening | undefined, log: ServerLog | undefined): EmbeddedServer {
  const host = reachable(server.options.host);
  const port = server.listening.client?.port ?? 0;
  const ended = async (work: Promise<void>): Promise<void> => {
    await work;
    await monitoring?.close();
    log?.close();
  };
  return {
    url: `nats://${host}:${port}`,
    port,
    monitoringUrl: monitoring === undefined ? undefined : `http://${host}:${monitoring.port}`,
    view: server.view,
    lameDuck: () => ended(server.lameDuck()),
    stop: () => ended(server.stop()),
  };
}

/**
 * Starts a server with the given arguments, such as `['-js', '-sd', directory]` or `['-c', 'server.conf']`. Without `-p` any free port is
 * taken, without `-a` only this machine can connect. Nothing is logged unless `-l`, `-s` or `-r` say where or `log` asks for lines on stderr.
 * Rejects with a StartError; then nothing is left running.
 */
export async function startServer(args: readonly string[] = [], { log: logging = false } = {}): Promise<EmbeddedServer> {
  const loaded = loadArguments(['-p', '-1', '-a', '127.0.0.1', ...args]);
  if (loaded.action === 'failed') throw new StartError(loaded.stderr.trim());
  if (loaded.action !== 'run') throw new StartError('the arguments ask for something else than a server');
  const { options } = loaded;
  const { logFile, syslog, remoteSyslog } = options;
  const logs = logging || syslog || logFile !== '' || remoteSyslog !== '';
  const ownLog = logs ? await openLogOrSyslog(options, startedAs()) : undefined;
  const log = ownLog ?? silentLog;
  try {
    const server = buildServer(options, log);
    const monitoring = await openMonitoring(options, server, log);
    try {
      await server.open();
    } catch (error) {
      await monitoring?.close();
      throw error;
    }
    return embedded(server, monitoring, ownLog);
  } catch (error) {
    ownLog?.close();
    throw new StartError(messageOf(error), { cause: error });
  }
}
