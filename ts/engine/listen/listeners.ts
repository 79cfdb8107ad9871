// Opens every listener the options ask for, in nats-server's order, says so in the log, and tells the sessions the real ports.
// Kept true: either all are open or none (what was opened is closed again and a ListenError thrown).
import type { Options, TlsOptions } from '../../core/config/options.ts';
import { closeStatus } from '../../core/session/close-status.ts';
import { hostPort } from '../../lib/address.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Acceptor, Listening } from '../../ports/connection.ts';
import type { Listeners, TlsListening } from '../../ports/listen.ts';
import type { Log } from '../../ports/log.ts';
import type { HandshakeStatus } from '../../ports/ocsp.ts';
import type { ServerIdentity } from '../session/server-info.ts';
import type { Sessions } from '../session/sessions.ts';
import { LeafnodeGreeter } from './leafnodes.ts';
import { ListenError } from './listen-error.ts';
import type { ListenerName } from './listen-error.ts';

/** A message over WebSocket may be this many times as long as a payload, and never longer than the cap. */
const MESSAGE_PAYLOADS = 8;
const MESSAGE_CAP_BYTES = 64 * 1024 * 1024;

export interface ListenParts {
  readonly listeners: Listeners;
  readonly acceptor: Acceptor;
  /** The kernel's inbound region. */
  readonly inbound: Uint8Array;
  readonly identity: ServerIdentity;
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly log: Log;
  readonly status: HandshakeStatus;
}

type Opened = Partial<Record<ListenerName, Listening | TlsListening>>;

export class OpenListeners {
  readonly #opened: Opened = {};
  readonly #parts: ListenParts;

  constructor(parts: ListenParts) {
    this.#parts = parts;
  }

  get client(): Listening | undefined {
    return this.#opened.client;
  }

  get websocket(): Listening | undefined {
    return this.#opened.websocket;
  }

  get leafnodes(): Listening | undefined {
    return this.#opened.leafnodes;
  }

  /** End of validity of the client listener's certificate, in milliseconds since 1970. */
  get certificateNotAfterMs(): number | undefined {
    const { client } = this.#opened;
    return client !== undefined && 'certificateNotAfterMs' in client ? client.certificateNotAfterMs : undefined;
  }

  async open(options: Options): Promise<void> {
    try {
      if (options.websocket !== undefined && options.websocket.port !== 0) await this.#openWebSocket(options);
      if (options.leafnodes !== undefined && options.leafnodes.port !== 0) await this.#openLeafnodes(options);
      await this.#openClient(options);
    } catch (error) {
      await this.stopAccepting();
      throw error;
    }
  }

  /** Reads the certificates again. Throws when they cannot be used; listeners before the bad one have the new ones then. */
  reload(options: Options): void {
    reloadTls(this.#opened.client, options.tls);
    reloadTls(this.#opened.websocket, options.websocket?.tls);
  }

  /** Connections already accepted live on. */
  async stopAccepting(): Promise<void> {
    const open = Object.values(this.#opened);
    for (const name of Object.keys(this.#opened) as ListenerName[]) delete this.#opened[name];
    await Promise.all(open.map((listener) => listener.close()));
  }

  async #openClient(options: Options): Promise<void> {
    const { listeners, acceptor, inbound, sessions, log, status } = this.#parts;
    const { host, port, tls, allowNonTls, proxyProtocol } = options;
    const onProblem = (text: string, level: 'error' | 'warn' = 'error'): void => log[level](text);
    const opened = await attempt('client', host, port, () =>
      tls === undefined
        ? listeners.tcp({ host, port: Math.max(0, port), inbound, proxyProtocol }, acceptor)
        : listeners.tls({ host, port, inbound, proxyProtocol, tls, status, allowNonTls, onProblem }, acceptor),
    );
    this.#opened.client = opened;
    sessions.listen({ clientPort: opened.port });
    log.info(`Listening for client connections on ${hostPort(host, opened.port)}`);
    if (proxyProtocol) log.info('PROXY protocol enabled for client connections');
    if (tls === undefined) return;
    log.info(`TLS ${allowNonTls ? 'available' : 'required'} for client connections`);
    if (tls.handshakeFirst && tls.handshakeFirstFallbackMs === 0) {
      log.warn('Clients that are not using "TLS Handshake First" option will fail to connect');
    }
  }

  async #openWebSocket(options: Options): Promise<void> {
    const { listeners, acceptor, inbound, sessions, log, status } = this.#parts;
    const block = options.websocket;
    if (block === undefined) return;
    const { host, port, tls } = block;
    const opened = await attempt('websocket', host, port, () =>
      listeners.webSocket(
        {
          ...{ host, port, inbound, tls, status, closeStatus },
          compression: block.compression,
          sameOrigin: block.sameOrigin,
          allowedOrigins: block.allowedOrigins,
          headers: block.headers,
          handshakeTimeoutMs: block.handshakeTimeoutMs,
          cookies: [block.jwtCookie, block.userCookie, block.passCookie, block.tokenCookie].filter((name) => name !== ''),
          maxMessageBytes: Math.min(MESSAGE_PAYLOADS * options.maxPayload, MESSAGE_CAP_BYTES),
          onProblem: (text) => log.error(text),
        },
        acceptor,
      ),
    );
    this.#opened.websocket = opened;
    sessions.listen({ webSocketPort: opened.port });
    log.info(`Listening for websocket clients on ${tls === undefined ? 'ws' : 'wss'}://${hostPort(host, opened.port)}`);
    if (tls === undefined) log.warn('Websocket not configured with TLS. DO NOT USE IN PRODUCTION!');
  }

  async #openLeafnodes(options: Options): Promise<void> {
    const { listeners, log } = this.#parts;
    const block = options.leafnodes;
    if (block === undefined) return;
    const { host, port } = block;
    const greeter = new LeafnodeGreeter(options, this.#parts);
    const at = { host, port: Math.max(0, port), inbound: greeter.inbound };
    const opened = await attempt('leafnodes', host, port, () => listeners.tcp(at, greeter));
    greeter.port = opened.port;
    this.#opened.leafnodes = opened;
    log.info(`Listening for leafnode connections on ${hostPort(host, opened.port)}`);
  }
}

async function attempt<T>(name: ListenerName, host: string, port: number, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw new ListenError(name, host, port, error);
  }
}

function reloadTls(listener: Listening | TlsListening | undefined, tls: TlsOptions | undefined): void {
  if (tls !== undefined && listener !== undefined && 'reloadTls' in listener) listener.reloadTls(tls);
}
