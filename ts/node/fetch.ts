// Gets a document over HTTP or HTTPS: from resolvers that are web servers, and from responders that know the status of certificates. Node's HTTP is
// loaded by the first who asks: most servers never do.

import type { IncomingMessage } from 'node:http';
import type { SecureContextOptions } from 'node:tls';
import { formatDuration } from '../core/config/duration.ts';

export interface FetchSettings {
  /** For all of it, redirections included. */
  readonly timeoutMs: number;
  readonly tls?: SecureContextOptions & { readonly rejectUnauthorized?: boolean };
  /** Sent with POST; GET without. */
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FetchedDocument {
  readonly status: number;
  readonly statusText: string;
  readonly body: Buffer;
}

const OK = 200;
const REDIRECTIONS = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTIONS = 10;
/** No JWT and no status is longer. */
const MOST_BYTES = 1024 * 1024;

async function answerTo(address: URL, settings: FetchSettings, signal: AbortSignal): Promise<IncomingMessage> {
  const secure = address.protocol === 'https:';
  const { request } = secure ? await import('node:https') : await import('node:http');
  const { tls, body, headers } = settings;
  const method = body === undefined ? 'GET' : 'POST';
  const length = body === undefined ? {} : { 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const call = request(address, { signal, method, headers: { ...headers, ...length }, ...(secure && tls) });
    // Where a name has several addresses, only the parts of the error have a text.
    call.on('error', (error: NodeJS.ErrnoException) => reject(error.message === '' ? new Error(error.code) : error));
    call.on('response', resolve);
    call.end(body);
  });
}

function wholeBody(response: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    response.on('data', (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length > MOST_BYTES) response.destroy(new Error('the answer is too long'));
    });
    response.on('error', reject);
    response.on('end', () => resolve(Buffer.concat(parts)));
  });
}

/** Rejects with why there is no answer: the network, or the time. */
export async function fetchDocument(url: string, settings: FetchSettings): Promise<FetchedDocument> {
  const signal = AbortSignal.timeout(settings.timeoutMs);
  try {
    return await fetchWithin(url, settings, signal);
  } catch (error) {
    throw signal.aborted ? new Error(`no answer in ${formatDuration(settings.timeoutMs)}`, { cause: error }) : error;
  }
}

async function fetchWithin(url: string, settings: FetchSettings, signal: AbortSignal): Promise<FetchedDocument> {
  let address = new URL(url);
  for (let left = MOST_REDIRECTIONS; ; left--) {
    const response = await answerTo(address, settings, signal);
    const { statusCode: status = 0, statusMessage: statusText = '', headers } = response;
    const elsewhere = settings.body === undefined && REDIRECTIONS.has(status) ? headers.location : undefined;
    if (elsewhere === undefined) return { status, statusText, body: await wholeBody(response) };
    response.resume();
    if (left === 0) throw new Error(`stopped after ${MOST_REDIRECTIONS} redirects`);
    address = new URL(elsewhere, address);
  }
}

/** Rejects with why it could not be had: the network, the time, or another status than 200. */
export async function fetchText(url: string, settings: FetchSettings): Promise<string> {
  const { status, statusText, body } = await fetchDocument(url, settings);
  if (status !== OK) throw new Error(`${status} ${statusText}`.trim());
  return body.toString('utf8');
}
