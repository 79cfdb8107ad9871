// Message headers as bytes: finding values, and building blocks. Names are compared exactly, as nats-server does; the first value of a name counts.

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const version = 'NATS/1.0';

/** The values of a header block by name; empty for a block that is none. */
export function parseHeaders(block: Uint8Array): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  if (block.length === 0) return out;
  for (const line of decoder.decode(block).split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    if (!out.has(name)) out.set(name, line.slice(colon + 1).trim());
  }
  return out;
}

/** A block with a status line (`404 No Messages`, or nothing) and headers. */
export function buildHeaders(
  status: string,
  headers: readonly (readonly [name: string, value: string | number])[] = [],
): Uint8Array {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return encoder.encode(`${version}${status === '' ? '' : ' '}${status}\r\n${lines}\r\n`);
}

/** The block with more headers at its end; without one, a block of only those. */
export function addHeaders(block: Uint8Array, headers: readonly (readonly [name: string, value: string | number])[]): Uint8Array {
  if (block.length < 2) return buildHeaders('', headers);
  const tail = encoder.encode(`${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  const out = new Uint8Array(block.length - 2 + tail.length);
  out.set(block.subarray(0, block.length - 2));
  out.set(tail, block.length - 2);
  return out;
}
