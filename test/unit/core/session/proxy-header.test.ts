// The header of a proxy: what nats-server says to each was read off its log, and any bytes, in any cut, are judged alike.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ProxyGreeting, readProxyHeader } from '../../../../ts/core/session/proxy-header.ts';

const signature = '\r\n\r\n\0\r\nQUIT\n';
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** Version, kind, and the bytes behind, with their length before them. */
function second(version: number, kind: number, behind: string, length = behind.length): string {
  return signature + String.fromCharCode(version, kind, length >> 8, length & 255) + behind;
}

const ipv4 = '\xc0\0\x02\x01\x0a\0\0\x01\xd4\x31\x10\x7e';
const ipv6 = `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x07${'\0'.repeat(15)}\x01\x30\x39\x10\x7e`;

const told: readonly (readonly [name: string, header: string, client: string])[] = [
  ['an IPv4 client, version 1', 'PROXY TCP4 203.0.113.50 127.0.0.1 54321 4222\r\n', '203.0.113.50 54321'],
  ['an IPv6 client, version 1', 'PROXY TCP6 2001:DB8:0::1 ::1 1 2\r\n', '2001:db8::1 1'],
  ['an IPv4 client on IPv6 sockets', 'PROXY TCP6 ::ffff:1.2.3.4 ::1 65535 2\r\n', '1.2.3.4 65535'],
  ['fields with more space between them', 'PROXY  TCP4\t1.2.3.4  1.2.3.5 007 2 \r\n', '1.2.3.4 7'],
  ['an unknown client, version 1', 'PROXY UNKNOWN\r\n', ''],
  ['an unknown client with addresses', 'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n', ''],
  ['an IPv4 client, version 2', second(0x21, 0x11, ipv4), '192.0.2.1 54321'],
  ['an IPv6 client, version 2', second(0x21, 0x21, ipv6), '2001:db8::7 12345'],
  ['more behind the addresses', second(0x21, 0x11, `${ipv4}\x04\0\x01x`), '192.0.2.1 54321'],
  ['the proxy itself', second(0x20, 0, ''), ''],
  ['the proxy itself, with bytes to skip', second(0x20, 0x11, 'anything'), ''],
  ['no family', second(0x21, 0x01, 'xx'), ''],
];

const invalid = 'invalid PROXY protocol header: ';
const broken: readonly (readonly [header: string, problem: string])[] = [
  ['PROXY \r\n', `${invalid}invalid v1 format`],
  ['PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n', `${invalid}invalid v1 format`],
  ['PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n', `${invalid}invalid v1 format`],
  ['PROXY TCP4 1.2.3.4 x 1 2\r\n', `${invalid}invalid address`],
  ['PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n', `${invalid}invalid address`],
  ['PROXY TCP4 1.2.3.4 1.2.3.4 99999 2\r\n', 'invalid source port: strconv.ParseUint: parsing "99999": value out of range'],
  ['PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n', 'invalid dest port: strconv.ParseUint: parsing "-2": invalid syntax'],
  ['PROXY TCP4 ::1 1.2.3.4 1 2\r\n', `${invalid}TCP4 with IPv6 address`],
  ['PROXY TCP6 ::1 1.2.3.4 1 2\r\n', `${invalid}TCP6 with IPv4 address`],
  ['PROXY FOO 1.2.3.4 1.2.3.4 1 2\r\n', `${invalid}invalid protocol FOO`],
  ['PROXY \x1b[2J 1.2.3.4 1.2.3.4 1 2\r\n', `${invalid}invalid protocol \\x1b[2J`],
  [`PROXY ${'x'.repeat(101)}`, `${invalid}v1 line too long`],
  ['\r\n\r\n\0\rxxxxxx', `${invalid}invalid signature`],
  [second(0x11, 0x11, ipv4), `${invalid}invalid version 0x10`],
  [second(0x2f, 0x11, ipv4), 'unknown PROXY protocol command: 0x0f'],
  [second(0x21, 0x12, ipv4), 'unsupported PROXY protocol feature: only STREAM protocol supported'],
  [second(0x21, 0x31, ipv4), 'unsupported PROXY protocol feature: unsupported address family 0x30'],
  [second(0x21, 0x11, 'short'), 'IPv4 address data too short: 5 bytes'],
  [second(0x21, 0x21, ipv4), 'IPv6 address data too short: 12 bytes'],
];

const cutShort: readonly (readonly [start: string, problem: string])[] = [
  ['', 'failed to read protocol version: EOF'],
  ['PRO', 'failed to read protocol version: unexpected EOF'],
  ['PROXY ', 'failed to read v1 line: EOF'],
  ['PROXY TCP4', 'failed to read v1 line: EOF'],
  [signature.slice(0, 6), 'failed to read v2 signature: EOF'],
  [signature.slice(0, 8), 'failed to read v2 signature: unexpected EOF'],
  [signature, 'failed to read v2 header: EOF'],
  [`${signature}!`, 'failed to read v2 header: unexpected EOF'],
  [second(0x21, 0x11, '', 12), 'failed to read IPv4 address data: EOF'],
  [second(0x21, 0x11, 'abc', 12), 'failed to read IPv4 address data: unexpected EOF'],
  [second(0x20, 0x11, 'abc', 12), 'failed to discard LOCAL command address data: EOF'],
  [second(0x21, 0x01, 'abc', 12), 'failed to discard UNSPEC address address data: EOF'],
];

/** What a greeting says, whatever came when. */
function said(pieces: readonly Uint8Array[]): unknown {
  const greeting = new ProxyGreeting();
  const left = [...pieces];
  for (let known = false; !known && left.length > 0;) known = greeting.take(left.shift() ?? new Uint8Array());
  const { header } = greeting;
  if (header.kind === 'short') return greeting.problem();
  const rest = [...greeting.rest, ...left.flatMap((piece) => [...piece])];
  return header.kind === 'broken' ? header.problem : { header, rest };
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place));
}

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .tuple(
      fc.constantFrom('PROXY TCP4 1.2.3.4 1.2.3.4 1 ', 'PROXY ', signature, second(0x21, 0x11, ''), second(0x20, 0, '', 5)),
      fc.uint8Array({ maxLength: 140 }),
    )
    .map(([start, end]) => Uint8Array.from([...bytesOf(start), ...end])),
  fc.constantFrom(...told.map(([, header]) => bytesOf(`${header}PING\r\n`)), ...broken.map(([header]) => bytesOf(header))),
);

describe('the header of a proxy', () => {
  for (const [name, header, client] of told) {
    it(`tells ${name}, and leaves what follows`, () => {
      const read = readProxyHeader(bytesOf(`${header}PING\r\n`));
      assert.ok(read.kind === 'header', JSON.stringify(read));
      assert.equal(read.taken, header.length);
      assert.equal(read.client === undefined ? '' : `${read.client.address} ${read.client.port}`, client);
    });
  }

  for (const [header, problem] of broken) {
    it(`is refused: ${problem} (${JSON.stringify(header.slice(0, 40))})`, () => {
      assert.deepEqual(readProxyHeader(bytesOf(header)), { kind: 'broken', problem });
    });
  }

  for (const [start, problem] of cutShort) {
    it(`that ends behind ${JSON.stringify(start)}: ${problem}`, () => {
      assert.equal(said([bytesOf(start)]), problem);
    });
  }

  it('is not looked for in what cannot begin one', () => {
    for (const text of ['PING\r\n', 'C', 'PUB', '\x16\x03\x01', '\r\nPING', 'proxy ']) {
      assert.deepEqual(readProxyHeader(bytesOf(text)), { kind: 'none' }, text);
    }
  });

  it('is the same however its bytes are cut, and nothing behind it is lost', () => {
    fc.assert(
      fc.property(anyBytes, fc.array(fc.nat(300), { maxLength: 12 }), (bytes, at) => {
        assert.deepEqual(said(cut(bytes, at)), said([bytes]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not change its mind when more bytes come', () => {
    fc.assert(
      fc.property(anyBytes, fc.uint8Array({ maxLength: 20 }), (bytes, more) => {
        const before = readProxyHeader(bytes);
        if (before.kind !== 'short') assert.deepEqual(readProxyHeader(Uint8Array.from([...bytes, ...more])), before);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is decided by as many bytes as the longest has', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const long = new Uint8Array(16 + 0xffff);
        long.set(bytes);
        assert.notEqual(readProxyHeader(long).kind, 'short');
      }),
    );
  });
});
