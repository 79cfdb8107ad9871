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
  #ending = false;

  constructor(server: Server, log: ServerLog, monitoring: HttpListening | undefined) {
    this.#server = server;
    this.#log = log;
    this.#monitoring = monitoring;
  }

  begin(options: Options): void {
    if (options.pidFile !== '') this.#attempt(`write the pid file ${options.pidFile}`, () => writePidFile(options.pidFile));
    if (options.portsFileDir !== '') {
      this.#attempt(`write a ports file in ${options.portsFileDir}`, () => {
        this.#portsFile = writePortsFile(options.portsFileDir, startedAs(), portsContent(this.#server));
      });
    }
    onSignals(
      {
        quit: () => this.#end(() => this.#server.stop()),
        term: () => {
          if (!this.#server.inLameDuck) this.#end(() => this.#server.stop());
        },
        lameDuck: () => this.#end(() => this.#server.lameDuck()),
        reload: () => reloadFromProcess(this.#server, this.#log),
        reopen: () => this.#attempt('reopen the log file', () => this.#log.reopen()),
      },
      (text) => this.#log.info(`Trapped "${text}" signal`),
    );
  }

  #attempt(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#log.error(`Could not ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** A second signal to stop, while lame duck waits, stops at once. */
  #end(work: () => Promise<void>): void {
    const first = !this.#ending;
    this.#ending = true;
    void work().then(async () => {
      if (!first) return;
      this.#portsFile?.remove();
      await this.#monitoring?.close();
      this.#log.close();
      process.exit(0);
    });
  }
}
