// May this HTTP request become a WebSocket? The checks in nats-server's order, each with the status the client gets and the words the
// log gets.
import type { IncomingMessage } from 'node:http';
import type { WebSocketListenOptions } from '../ports/listen.ts';

export interface UpgradeRefusal {
  readonly status: 400 | 403 | 404 | 405;
  readonly problem: string;
}

const statusTexts = { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed' } as const;

function listsToken(header: string | undefined, wanted: string): boolean {
  return (header ?? '').split(',').some((token) => token.trim().toLowerCase() === wanted);
}

interface Origin {
  readonly host: string;
  readonly port: string;
  readonly scheme: string;
}

function parseOrigin(text: string): Origin | undefined {
  const url = URL.parse === undefined ? tryParse(text) : URL.parse(text);
  if (!url || url.host === '') return undefined;
  const scheme = url.protocol.replace(':', '');
  return { host: url.hostname.toLowerCase(), port: url.port || (scheme === 'https' ? '443' : '80'), scheme };
}

function tryParse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function originProblem(request: IncomingMessage, options: WebSocketListenOptions): string | undefined {
  const text = request.headers.origin ?? (request.headers['sec-websocket-origin'] as string | undefined) ?? '';
  if (text === '' || (!options.sameOrigin && options.allowedOrigins.length === 0)) return undefined;
  const origin = parseOrigin(text);
  if (origin === undefined) return `parse ${JSON.stringify(text)}`;
  if (options.sameOrigin) {
    const self = parseOrigin(`${options.tls === undefined ? 'http' : 'https'}://${request.headers.host ?? ''}`);
    if (self === undefined || self.host !== origin.host || self.port !== origin.port) return 'not same origin';
  }
  if (options.allowedOrigins.length === 0) return undefined;
  const known = options.allowedOrigins.map(parseOrigin).filter((allowed) => allowed?.host === origin.host);
  if (known.length === 0) return 'not in the allowed list';
  return known.some((allowed) => allowed?.port === origin.port && allowed.scheme === origin.scheme)
    ? undefined
    : 'not in the allowed list';
}

export function upgradeRefusal(request: IncomingMessage, options: WebSocketListenOptions): UpgradeRefusal | undefined {
  const { headers, method, url = '/' } = request;
  if (method !== 'GET') return { status: 405, problem: 'request method must be GET' };
  if (headers.host === undefined || headers.host === '') return { status: 400, problem: "'Host' missing in request" };
  if (!listsToken(headers.upgrade, 'websocket')) return { status: 400, problem: "invalid value for header 'Upgrade'" };
  if (!listsToken(headers.connection, 'upgrade')) return { status: 400, problem: "invalid value for header 'Connection'" };
  if (headers['sec-websocket-version'] !== '13') return { status: 400, problem: 'invalid version' };
  const origin = originProblem(request, options);
  if (origin !== undefined) return { status: 403, problem: `origin not allowed: ${origin}` };
  if ((headers['sec-websocket-key'] ?? '') === '') return { status: 400, problem: 'key missing' };
  const path = url.split('?')[0] ?? '/';
  if (path.endsWith('/mqtt')) return { status: 404, problem: 'mqtt websocket endpoint not enabled' };
  if (path.endsWith('/leafnode')) return { status: 404, problem: 'leaf node websocket endpoint not enabled' };
  return undefined;
}

/** The whole HTTP answer to a refused upgrade. */
export function refusalResponse(refusal: UpgradeRefusal): string {
  const text = `${statusTexts[refusal.status]}\n`;
  return [
    `HTTP/1.1 ${refusal.status} ${statusTexts[refusal.status]}`,
    'Content-Type: text/plain; charset=utf-8',
    'Sec-Websocket-Version: 13',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    `Content-Length: ${text.length}`,
    '',
    text,
  ].join('\r\n');
}

/** Values of the cookies with these names; where a name occurs twice, the first. */
export function namedCookies(header: string | undefined, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, at)).trim();
    if (names.includes(name) && !(name in found))
      found[name] = pair
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1');
  }
  return found;
}
