// A server as a process: files it leaves for others, signals it obeys, the exit code it ends with.

import type { Options } from '../core/config/options.ts';
import type { Server } from '../engine/server/server.ts';
import { writePidFile, writePortsFile } from '../node/files.ts';
import type { PortsFile, PortsFileContent } from '../node/files.ts';
import type { HttpListening } from '../node/http.ts';
import type { ServerLog } from '../node/log.ts';
import { onSignals } from '../node/signals.ts';
import { startedAs } from './command-line.ts';
import { reloadFromProcess } from './reload.ts';
import { messageOf } from '../lib/message-of.ts';

function portsContent(server: Server): PortsFileContent {
  const { client, http, https, websocket } = server.listening;
  const monitoring = https ?? http;
  const secure = server.options.websocket?.tls !== undefined;
  return {
    ...(client === undefined ? {} : { nats: { scheme: server.options.tls === undefined ? 'nats' : 'tls', ...client } }),
    ...(monitoring === undefined ? {} : { monitoring: { scheme: https === undefined ? 'http' : 'https', ...monitoring } }),
    ...(websocket === undefined ? {} : { websocket: { scheme: secure ? 'wss' : 'ws', ...websocket } }),
  };
}

export class ProcessLife {
  readonly #server: Server;
  readonly #log: ServerLog;
  readonly #monitoring: HttpListening | undefined;
  #portsFile: PortsFile | undefined;
  #options: Options | undefined;
  #exiting = false;

  constructor(server: Server, log: ServerLog, monitoring: HttpListening | undefined) {
    this.#server = server;
    this.#log = log;
    this.#monitoring = monitoring;
  }

  /** The server is open; its pid file was written before that. */
  begin(options: Options): void {
    this.#options = options;
    this.#writePorts(options.portsFileDir);
    this.#server.reloadBy(() => this.#reload());
    this.#server.endBy(() => this.#end(() => this.#server.stop()));
    onSignals(
      {
        quit: () => this.#end(() => this.#server.stop()),
        term: () => {
          if (!this.#server.inLameDuck) this.#end(() => this.#server.stop());
        },
        lameDuck: () => this.#end(() => this.#server.lameDuck()),
        reload: () => void this.#reload(),
        reopen: () => this.#attempt('reopen the log file', () => this.#log.reopen()),
      },
      (text) => this.#log.info(`Trapped "${text}" signal`),
    );
  }

  #reload(): string | undefined {
    const refused = reloadFromProcess(this.#server, this.#log);
    this.#renewFiles(this.#server.options);
    return refused;
  }

  /** Files whose place was changed by a reload. */
  #renewFiles(options: Options): void {
    const before = this.#options;
    this.#options = options;
    if (options.pidFile !== before?.pidFile && options.pidFile !== '') {
      this.#attempt('renew the pid file', () => writePidFile(options.pidFile));
    }
    if (options.portsFileDir !== before?.portsFileDir) {
      this.#portsFile?.remove();
      this.#writePorts(options.portsFileDir);
    }
  }

  #writePorts(folder: string): void {
    this.#portsFile = undefined;
    if (folder === '') return;
    this.#attempt(`write a ports file in ${folder}`, () => {
      this.#portsFile = writePortsFile(folder, startedAs(), portsContent(this.#server));
    });
  }

  #attempt(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#log.error(`Could not ${what}: ${messageOf(error)}`);
    }
  }

  /** A second signal to stop, while lame duck waits, stops at once. However the work ends, the process does, and its exit code says how. */
  #end(work: () => Promise<void>): void {
    void work().then(
      () => this.#exit(0),
      (error: unknown) => this.#exit(1, `The server could not be stopped in order: ${messageOf(error)}`),
    );
  }

  async #exit(code: number, text?: string): Promise<void> {
    if (this.#exiting) return;
    this.#exiting = true;
    if (text !== undefined) this.#log.error(text);
    this.#portsFile?.remove();
    await this.#monitoring?.close();
    this.#log.close();
    process.exit(code);
  }
}
