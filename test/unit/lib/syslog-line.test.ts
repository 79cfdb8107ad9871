// Lines and addresses of a syslog: the forms were read off what nats-server sends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { journalPreamble, parseSyslogAddress, syslogLine } from '../../../ts/lib/syslog-line.ts';

const sender = { host: 'here', tag: 'nats-server', pid: 42 };
const now = new Date(2026, 10, 3, 4, 5, 6);

test('a line for another machine has severity, time, host, name and process', () => {
  const [, time = ''] =
    /^<4>(\S+) here nats-server\[42\]: some text\n$/.exec(syslogLine('remote', sender, 'warn', 'some text', now)) ?? [];
  assert.match(time, /^2026-11-03T04:05:06(Z|[+-]\d\d:\d\d)$/);
  assert.equal(Date.parse(time), now.getTime());
});

test('a line for this machine is of the facility of daemons and names no host', () => {
  assert.equal(syslogLine('local', sender, 'error', 'x\n', now), '<27>Nov  3 04:05:06 nats-server[42]: x\n');
});

test('journald is told name and priority first, and lines have their severity', () => {
  assert.equal(journalPreamble('nats-server'), 'nats-server\n\n29\n1\n1\n0\n0\n');
  assert.equal(syslogLine('journal', sender, 'fatal', 'x', now), '<2>x\n');
});

test('severities are those of nats-server', () => {
  const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
  const told = levels.map((level) => syslogLine('journal', sender, level, '', now).slice(1, 2));
  assert.deepEqual(told, ['2', '3', '4', '5', '7', '5']);
});

test('addresses are of datagrams, of streams, or of a socket in the file system', () => {
  const shown = (text: string): string => {
    const { network, host, port, path } = parseSyslogAddress(text);
    return `${network} ${host} ${port} ${path}`.trim();
  };
  assert.equal(shown('udp://localhost:514'), 'udp localhost 514');
  assert.equal(shown('UDP://:514'), 'udp localhost 514');
  assert.equal(shown('tcp://[::1]:601/ignored'), 'tcp ::1 601');
  assert.equal(shown('unix:///run/syslog.sock'), 'unix  0 /run/syslog.sock');
});

test('what is no address is said in one line', () => {
  for (const [text, problem] of [
    ['localhost', 'error invalid network type: ""'],
    ['http://localhost:514', 'error invalid network type: "http"'],
    ['udp://localhost', 'error connecting to syslog: "dial udp: address localhost: missing port in address"'],
    ['tcp://localhost:x', 'error connecting to syslog: "dial tcp: address localhost:x: invalid port"'],
    ['tcp://localhost:70000', 'error connecting to syslog: "dial tcp: address localhost:70000: invalid port"'],
  ] as const) {
    assert.throws(() => parseSyslogAddress(text), { message: problem });
  }
});
