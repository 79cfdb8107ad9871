// The header with which a proxy tells whose connection it passes on (PROXY protocol, versions 1 and 2), read from the first bytes of a connection.
//
//   1  "PROXY TCP4 <source> <destination> <port> <port>\r\n", or "PROXY UNKNOWN ...\r\n": a line of at most 107 bytes
//   2  12 bytes of signature | version 2, command | family, protocol | u16 length | addresses: source, destination, u16 port, u16 port | more
//
// Kept true: the answer depends on the bytes alone, not on how they were cut, and once it is not `short` it does not change when more come; a
// client without a header is told from one with as soon as a byte differs, and its bytes stay its own.

import { quoteText } from '../../lib/go-quote.ts';
import { parseUnsigned } from '../../lib/go-parse.ts';
import { formatAddress, parseAddress } from '../../lib/ip-address.ts';

export interface ProxiedClient {
  readonly address: string;
  readonly port: number;
}

export type ProxyHeader =
  /** `taken` bytes are the header's. Without a client the proxy speaks for itself, to see whether the server lives. */
  | { readonly kind: 'header'; readonly taken: number; readonly client: ProxiedClient | undefined }
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly problem: string }
  /** More is needed. `reading`: what then could not be read, if nothing more comes; `begun`: a part of it has come. */
  | { readonly kind: 'short'; readonly reading: string; readonly begun: boolean };

const LINE_PREFIX = 'PROXY ';
const LINE_BYTES = 107;
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
/** Of either version; that many bytes tell which it is. */
const PREFIX_BYTES = 6;
const FIXED_BYTES = 16;

const STREAM = 1;
/** Families of addresses: how long source, destination and the two ports are together. */
const families: ReadonlyMap<number, { readonly name: string; readonly bytes: number }> = new Map([
  [0x10, { name: 'IPv4', bytes: 12 }],
  [0x20, { name: 'IPv6', bytes: 36 }],
]);

const invalid = (what: string): ProxyHeader => ({ kind: 'broken', problem: `invalid PROXY protocol header: ${what}` });
const unsupported = (what: string): ProxyHeader => ({ kind: 'broken', problem: `unsupported PROXY protocol feature: ${what}` });

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  const start = latin1(bytes, 0, PREFIX_BYTES);
  const isLine = LINE_PREFIX.startsWith(start);
  if (!isLine && !SIGNATURE.startsWith(start)) return { kind: 'none' };
  if (bytes.length < PREFIX_BYTES) return { kind: 'short', reading: 'failed to read protocol version', begun: start !== '' };
  return isLine ? readLine(bytes) : readBinary(bytes);
}

function readLine(bytes: Uint8Array): ProxyHeader {
  const text = latin1(bytes, PREFIX_BYTES, LINE_BYTES);
  const end = text.indexOf('\r\n');
  if (end === -1 && bytes.length >= LINE_BYTES) return invalid('v1 line too long');
  if (end === -1) return { kind: 'short', reading: 'failed to read v1 line', begun: false };
  const taken = PREFIX_BYTES + end + 2;
  const [protocol, source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = text
    .slice(0, end)
    .split(/[\t-\r ]+/)
    .filter((part) => part !== '');
  if (protocol === 'UNKNOWN') return { kind: 'header', taken, client: undefined };
  if (protocol === undefined || destinationPort === '' || more.length > 0) return invalid('invalid v1 format');
  const address = parseAddress(source);
  if (address === undefined || parseAddress(destination) === undefined) return invalid('invalid address');
  const port = readPort(sourcePort);
  if (typeof port === 'string') return { kind: 'broken', problem: `invalid source port: ${port}` };
  const other = readPort(destinationPort);
  if (typeof other === 'string') return { kind: 'broken', problem: `invalid dest port: ${other}` };
  const colons = [source, destination].filter((one) => one.includes(':')).length;
  if (protocol === 'TCP4' && colons > 0) return invalid('TCP4 with IPv6 address');
  if (protocol === 'TCP6' && colons < 2) return invalid('TCP6 with IPv4 address');
  if (protocol !== 'TCP4' && protocol !== 'TCP6') return invalid(`invalid protocol ${quoteText(protocol).slice(1, -1)}`);
  return { kind: 'header', taken, client: { address: formatAddress(address), port } };
}

function readPort(text: string): number | string {
  const read = parseUnsigned(text);
  if ('error' in read) return read.error;
  return read.value > 0xffff ? `strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range` : read.value;
}

function readBinary(bytes: Uint8Array): ProxyHeader {
  const { length } = bytes;
  if (length < SIGNATURE.length) return { kind: 'short', reading: 'failed to read v2 signature', begun: length > PREFIX_BYTES };
  if (latin1(bytes, 0, SIGNATURE.length) !== SIGNATURE) return invalid('invalid signature');
  if (length < FIXED_BYTES) return { kind: 'short', reading: 'failed to read v2 header', begun: length > SIGNATURE.length };
  const [version = 0, kind = 0, high = 0, low = 0] = bytes.subarray(SIGNATURE.length, FIXED_BYTES);
  if (version >> 4 !== 2) return invalid(`invalid version 0x${hexByte(version & 0xf0)}`);
  const command = version & 0xf;
  const addressBytes = high * 256 + low;
  if (command === 0) return ownConnection(length, addressBytes, 'failed to discard LOCAL command address data');
  if (command !== 1) return { kind: 'broken', problem: `unknown PROXY protocol command: 0x${hexByte(command)}` };
  if ((kind & 0xf) !== STREAM) return unsupported('only STREAM protocol supported');
  if (kind >> 4 === 0) return ownConnection(length, addressBytes, 'failed to discard UNSPEC address address data');
  const family = families.get(kind & 0xf0);
  if (family === undefined) return unsupported(`unsupported address family 0x${hexByte(kind & 0xf0)}`);
  const { name } = family;
  if (addressBytes < family.bytes) return { kind: 'broken', problem: `${name} address data too short: ${addressBytes} bytes` };
  const taken = FIXED_BYTES + addressBytes;
  if (length < taken) return { kind: 'short', reading: `failed to read ${name} address data`, begun: length > FIXED_BYTES };
  const size = (family.bytes - 4) / 2;
  const addresses = bytes.subarray(FIXED_BYTES, FIXED_BYTES + family.bytes);
  const port = (addresses[2 * size] ?? 0) * 256 + (addresses[2 * size + 1] ?? 0);
  return { kind: 'header', taken, client: { address: formatAddress(addresses.subarray(0, size)), port } };
}

function ownConnection(length: number, addressBytes: number, reading: string): ProxyHeader {
  const taken = FIXED_BYTES + addressBytes;
  return length < taken ? { kind: 'short', reading, begun: false } : { kind: 'header', taken, client: undefined };
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

/** The bytes of a connection that has not said yet whose it is, and what they say. */
export class ProxyGreeting {
  #bytes = new Uint8Array(128);
  #length = 0;
  #header = readProxyHeader(this.#bytes.subarray(0, 0));

  get header(): ProxyHeader {
    return this.#header;
  }

  /** Bytes that came behind the header, or all where there is none. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#header.kind === 'header' ? this.#header.taken : 0, this.#length);
  }

  /** True once it is known what they say. */
  take(bytes: Uint8Array): boolean {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
    this.#header = readProxyHeader(this.#bytes.subarray(0, length));
    return this.#header.kind !== 'short';
  }

  /** Why there is no answer, when nothing more comes; `why` is the network's error where it is not the end of the stream. */
  problem(why?: string): string {
    if (this.#header.kind === 'broken') return this.#header.problem;
    if (this.#header.kind !== 'short') return '';
    return `${this.#header.reading}: ${why ?? (this.#header.begun ? 'unexpected EOF' : 'EOF')}`;
  }
}
