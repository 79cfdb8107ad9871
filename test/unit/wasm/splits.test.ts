/**
 * Every split of valid conversations at every byte: one cut, two cuts and a cut between all bytes give the same answers
 * as the whole conversation in one packet.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ours, play } from '../../oracle/agreement.ts';
import { MemoryServer } from '../../oracle/memory-server.ts';

const limit = 4096;
const longSubject = 'x'.repeat(limit - ' 1'.length);

const conversations: readonly { readonly name: string; readonly text: string }[] = [
  {
    name: 'CONNECT, SUB, PUB, UNSUB, PUB and PING in one write',
    text: 'CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 5\r\nfirst\r\nUNSUB 1\r\nPUB a 6\r\nsecond\r\nPING\r\n',
  },
  {
    name: 'the same, answered verbosely',
    text: 'CONNECT {"verbose":true,"pedantic":true}\r\nSUB a 1\r\nPUB a 5\r\nfirst\r\nUNSUB 1 1\r\nPUB a 6\r\nsecond\r\nPING\r\n',
  },
  {
    name: 'headers, a request and its 503',
    text:
      'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB _INBOX.* 7\r\n' +
      'HPUB _INBOX.x 12 17\r\nNATS/1.0\r\n\r\nhello\r\nPUB nobody _INBOX.y 2\r\nhi\r\nHPUB _INBOX.x nowhere 0 3\r\nabc\r\nPING\r\n',
  },
  {
    name: 'lower case, tabs, bare line feeds and empty payloads',
    text: 'connect\t{"verbose":false}\nsub\ta.>\t\tq \t1\t\npub  a.b   0\n\r\npub a.c\t_INBOX 003\nabc\r\nping\nPong extra\r\n+ok\r\nPING \r\n',
  },
  {
    name: 'errors that keep the connection open',
    text: 'SUB a..b 1\r\nSUB a.b 1\r\nPUB a.* 1\r\nx\r\nPUB a.b $JS.ACK.x 1\r\ny\r\nPING\r\n',
  },
  {
    name: 'payloads that look like the protocol',
    text: 'SUB a 1\r\nPUB a 12\r\nPUB a 1\r\nx\r\n\r\nPUB a 2\r\n\r\n\r\nPING\r\n',
  },
  { name: 'a payload without its CRLF', text: 'SUB a 1\r\nPUB a 2\r\nhi\r\nPUB a 2\r\nhiPING\r\n' },
  { name: 'an unknown verb behind good ones', text: 'PING\r\nSUB a 1\r\nPUB a 1\r\nx\r\nSUBS b 2\r\n' },
  { name: 'too many arguments', text: 'CONNECT {}\r\nPING\r\nPUB a b c 1\r\nx\r\n' },
  { name: 'a bad CONNECT', text: 'CONNECT {"verbose":\r\nPING\r\n' },
];

/** These are long: only the places around line ends are cut. */
const longOnes: readonly { readonly name: string; readonly text: string }[] = [
  {
    name: 'a control line as long as it may be',
    text: `CONNECT {"verbose":false}\r\nSUB ${longSubject} 1\r\nPUB ${longSubject} 1\r\nx\r\nPING\r\n`,
  },
  { name: 'a control line one byte too long', text: `CONNECT {"verbose":false}\r\nSUB x${longSubject} 1\r\nPING\r\n` },
  {
    name: 'a large payload',
    text: `CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 200000\r\n${'\r\nPING\r\n'.repeat(25_000)}\r\nPING\r\n`,
  },
];

const step = (text: string, cuts: readonly number[] | 'everywhere') => [{ conn: 1, text, cuts }];

describe('a conversation in pieces', () => {
  for (const { name, text } of conversations) {
    test(`${name}: cut once at every byte, and between all bytes`, () => {
      const server = new MemoryServer();
      play(server, ours, step(text, []), -1);
      play(server, ours, step(text, 'everywhere'), -1);
      for (let at = 1; at < text.length; at++) play(server, ours, step(text, [at]), -1);
      assert.equal(server.kernel.exports.openConnections(), 0);
    });
  }

  test('cut twice, at every pair of bytes', () => {
    const server = new MemoryServer();
    const text = conversations[2]?.text ?? '';
    for (let one = 1; one < text.length; one++) {
      for (let other = one + 1; other < text.length; other++) play(server, ours, step(text, [one, other]), -1);
    }
  });

  for (const { name, text } of longOnes) {
    test(`${name}: cut around every line end`, () => {
      const server = new MemoryServer();
      const ends = [...text.matchAll(/\n/g)]
        .map((found) => found.index)
        .filter((_, index, all) => index < 8 || index > all.length - 8);
      play(server, ours, step(text, []), -1);
      for (const end of ends)
        for (const at of [end - 2, end - 1, end, end + 1, end + 2]) play(server, ours, step(text, [at]), -1);
      play(server, ours, step(text, ends), -1);
    });
  }
});
