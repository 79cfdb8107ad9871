// Gets a document over HTTP or HTTPS, for resolvers that are web servers. Node's HTTP is loaded by the first who asks: most servers never do.

import type { SecureContextOptions } from 'node:tls';

export interface FetchSettings {
  readonly timeoutMs: number;
  readonly tls?: SecureContextOptions & { readonly rejectUnauthorized?: boolean };
}

const OK = 200;
/** No JWT is longer. */
const MOST_BYTES = 1024 * 1024;

/** Rejects with why it could not be had: the network, the time, or another status than 200. */
export async function fetchText(url: string, { timeoutMs, tls }: FetchSettings): Promise<string> {
  const address = new URL(url);
  const secure = address.protocol === 'https:';
  const { request } = secure ? await import('node:https') : await import('node:http');
  return new Promise((resolve, reject) => {
    const call = request(address, { signal: AbortSignal.timeout(timeoutMs), ...(secure && tls) });
    call.on('error', reject);
    call.on('response', (response) => {
      if (response.statusCode !== OK) {
        response.resume();
        return reject(new Error(`${response.statusCode ?? 0} ${response.statusMessage ?? ''}`.trim()));
      }
      const parts: Buffer[] = [];
      let length = 0;
      response.on('data', (part: Buffer) => {
        parts.push(part);
        length += part.length;
        if (length > MOST_BYTES) response.destroy(new Error('the answer is too long'));
      });
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    });
    call.end();
  });
}
