// The monitoring listener of a server: `http`, or `https` with the client listener's certificates.

import type { SecureContextOptions } from 'node:tls';
import type { Options } from '../core/config/options.ts';
import type { Server } from '../engine/server/server.ts';
import { hostPort } from '../lib/address.ts';
import { listenHttp } from '../node/http.ts';
import type { HttpListenOptions, HttpListening } from '../node/http.ts';
import { createMetricsEndpoint } from '../node/metrics.ts';
import { NodeProcess } from '../node/process.ts';
import { loadTls } from '../node/tls-context.ts';
import { TlsHandshakes } from '../node/tls-handshakes.ts';
import { turnsOfLoop } from '../node/turns-of-loop.ts';
import { createMonitor } from '../ops/monitor/monitor.ts';
import type { Log } from '../ports/log.ts';
import { shownArguments } from './command-line.ts';
import { messageOf } from '../lib/message-of.ts';

/** Those of the client listener; a monitoring client is not asked for its own. */
function certificates({ tls }: Options): SecureContextOptions {
  if (tls === undefined) throw new Error('https requires TLS certificates: add a tls block');
  return loadTls(tls).options;
}

/** Where certificates of clients are checked with those who signed them, monitoring asks for one too. */
function security(options: Options, server: Server): Pick<HttpListenOptions, 'tls' | 'handshakes'> {
  const { tls, websocket } = options;
  const checks = tls?.ocspPeer?.verify === true || websocket?.tls?.ocspPeer?.verify === true;
  return checks && tls?.verify ? { handshakes: new TlsHandshakes(tls, server.status) } : { tls: certificates(options) };
}

/** Opens the listener the options ask for; undefined when they ask for none. Rejects with one clear line. */
export async function openMonitoring(options: Options, server: Server, log: Log): Promise<HttpListening | undefined> {
  const secure = options.httpsPort !== 0;
  const port = secure ? options.httpsPort : options.httpPort;
  if (port === 0) return undefined;
  const host = options.httpHost === '' ? options.host : options.httpHost;
  const handler = createMonitor({
    view: server.view,
    process: new NodeProcess(shownArguments()),
    slices: turnsOfLoop,
    basePath: options.httpBasePath,
    exposition: createMetricsEndpoint,
  });
  const kind = secure ? 'https' : 'http';
  try {
    const listening = await listenHttp({
      host,
      port,
      handler,
      onProblem: (text) => log.error(text),
      ...(secure ? security(options, server) : {}),
    });
    log.info(`Starting ${kind} monitor on ${hostPort(host, listening.port)}`);
    server.monitoringAt({ [kind]: { host, port: listening.port } });
    return listening;
  } catch (error) {
    const text = messageOf(error);
    throw new Error(`can't listen to the monitor port: ${text}`, { cause: error });
  }
}
