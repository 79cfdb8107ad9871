// Message headers as bytes: finding values, and building blocks. Names are compared exactly, as nats-server does; the first value of a name counts.

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const version = 'NATS/1.0';

/** The values of a header block by name; empty for a block that is none. */
export function parseHeaders(block: Uint8Array): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  if (block.length === 0) return out;
  const text = decoder.decode(block);
  let from = text.indexOf('\r\n');
  while (from >= 0) {
    from += 2;
    const end = text.indexOf('\r\n', from);
    const line = text.slice(from, end < 0 ? text.length : end);
    const colon = line.indexOf(':');
    if (colon > 0) {
      const name = line.slice(0, colon);
      if (!out.has(name)) out.set(name, line.slice(colon + 1).trim());
    }
    from = end;
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

const colonByte = 0x3a;
const lineFeed = 0x0a;
const noBytes = new Uint8Array(0);

/** The block without the headers whose names are dropped; empty when none is left. */
export function withoutHeaders(block: Uint8Array, drops: (name: string) => boolean): Uint8Array {
  const kept: Uint8Array[] = [];
  let dropped = false;
  for (let at = 0; at < block.length;) {
    let end = block.indexOf(lineFeed, at);
    end = end < 0 ? block.length : end + 1;
    if (drops(nameOf(block, at, end))) dropped = true;
    else kept.push(block.subarray(at, end));
    at = end;
  }
  // The version line and the empty one: no header is left.
  if (kept.length <= 2 && dropped) return noBytes;
  return dropped ? joined(kept) : block;
}

/** The block with the first value of a header replaced, or with the header at its end. */
export function setHeader(block: Uint8Array, name: string, value: string): Uint8Array {
  const text = decoder.decode(block);
  const start = text.indexOf(`\r\n${name}:`);
  if (start < 0) return addHeaders(block, [[name, value]]);
  let from = start + name.length + 3;
  if (text[from] === ' ') from += 1;
  const end = text.indexOf('\r', from);
  return end < 0 ? block : encoder.encode(text.slice(0, from) + value + text.slice(end));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function nameOf(block: Uint8Array, from: number, to: number): string {
  const colon = block.indexOf(colonByte, from);
  return colon < 0 || colon >= to ? '' : String.fromCharCode(...block.subarray(from, Math.min(colon, from + 256)));
}
