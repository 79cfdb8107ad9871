// The leaf node port until its protocol is built: greets with its INFO, answers the first line with a refusal and closes.
// It exists so that configurations with a `leafnodes` block run, and so that a leaf that connects is told why it cannot.
import type { Options } from '../../core/config/options.ts';
import { parseConnect } from '../../core/session/connect.ts';
import { errorText } from '../../core/session/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Acceptor, Transport, TransportSink } from '../../ports/connection.ts';
import type { Log } from '../../ports/log.ts';
import { hostPort } from '../../lib/address.ts';
import type { ServerIdentity } from '../session/server-info.ts';

const FIRST_LINE_MS = 2_000;
const LINE_BYTES = 4_096;
const NOT_SERVED = 'leafnode connections are not served by this server';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface LeafnodeParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly identity: ServerIdentity;
}

/** What the peer's first line deserves. */
export function refusal(line: string): string {
  const match = /^connect\s+(.*)$/i.exec(line);
  if (match === null) return errorText('authorization') ?? '';
  const result = parseConnect(match[1] ?? '');
  const isClient = result.ok && result.connect.lang !== '';
  return (isClient ? errorText('wrongPortLeaf') : undefined) ?? NOT_SERVED;
}

export class LeafnodeGreeter implements Acceptor {
  /** Where its connections' bytes are read to; they are few and short. */
  readonly inbound = new Uint8Array(LINE_BYTES);
  port = 0;
  readonly #options: Options;
  readonly #parts: LeafnodeParts;
  #lastId = 0;

  constructor(options: Options, parts: LeafnodeParts) {
    this.#options = options;
    this.#parts = parts;
  }

  accept(transport: Transport): TransportSink {
    const { clock, log } = this.#parts;
    const id = ++this.#lastId;
    const where = `${hostPort(transport.remoteAddress, transport.remotePort)} - lid:${id}`;
    log.info(`${where} - Leafnode connection created`);
    let line = '';
    let refused = false;
    const refuse = (text: string): void => {
      if (refused) return;
      refused = true;
      log.error(`${where} - ${text}`);
      transport.write([encoder.encode(`-ERR '${text}'\r\n`)]);
      transport.end();
    };
    const late: Timer = clock.after(FIRST_LINE_MS, () => refuse('Authentication Timeout'));
    transport.write([encoder.encode(this.#greeting(id))]);
    return {
      onBytes: (length) => {
        line += decoder.decode(this.inbound.slice(0, length));
        const end = line.indexOf('\n');
        if (end >= 0 || line.length >= LINE_BYTES) refuse(refusal(line.slice(0, Math.max(0, end)).trim()));
      },
      onWritten: () => undefined,
      onClose: () => {
        late.cancel();
        log.info(`${where} - Leafnode connection closed: ${refused ? 'Authentication Failure' : 'Client Closed'}`);
      },
    };
  }

  #greeting(id: number): string {
    const { identity } = this.#parts;
    const { host = '', advertise = '' } = this.#options.leafnodes ?? {};
    const url = advertise === '' ? hostPort(host, this.port) : advertise;
    const info = {
      server_id: identity.serverId,
      server_name: identity.serverName,
      version: identity.version,
      proto: 3,
      go: identity.go,
      host,
      port: this.port,
      headers: !this.#options.noHeaderSupport,
      auth_required: true,
      max_payload: this.#options.maxPayload,
      ip: url,
      client_id: id,
      api_lvl: identity.apiLevel,
      info_on_connect: true,
      leafnode_urls: [url],
    };
    return `INFO ${JSON.stringify(info)} \r\n`;
  }
}
