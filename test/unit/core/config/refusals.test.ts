// Configurations that nats-server refuses, each with the mistake that is named; and some it takes, although they look wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mistakes, read } from './memory-ports.ts';

const service = (latency: string): string =>
  `accounts { sys { users: [ {user: s} ] }, A { exports: [ { service: add, latency: ${latency} } ] } }`;
const imported = (more: string): string =>
  `accounts { A { exports: [ { service: foo } ] }, B { imports: [ { service: { account: A, subject: foo }, ${more} } ] } }`;
const remote = (url: string, more: string): string => `leafnodes { remotes: [ { url: "${url}", ${more} } ] }`;

const refused: readonly (readonly [text: string, mistake: RegExp])[] = [
  ['cluster { routes: [ "0.0.0.0:XXXX" ] }', /^test\.conf:1:\d+: error parsing route url \["0\.0\.0\.0:XXXX"\]$/],
  [service('"*"'), /error adding service latency sampling for "add" on subject "\*": invalid publish subject/],
  [service('add'), /error adding service latency sampling for "add" on subject "add": invalid publish subject/],
  [imported('allow_trace: true'), /detected allow_trace directive on a non-stream/],
  ['cluster { compression { mode: s2_auto, rtt_thresholds: 123 } }', /expected a list of durations for "rtt_thresholds"/],
  [remote('ws://h:1', 'proxy { url: "http://" }'), /proxy URL must specify a host/],
  [
    remote('wss://u:secret@h:1', 'proxy { url: "http://p" }'),
    /remote URL wss:\/\/u:xxxxx@h:1 needs TLS, and no tls block is there/,
  ],
  [
    'leafnodes { remotes: [ { url: "nats://u:secret@h:1" }, { url: "nats://u:secret@h:1" } ] }',
    /duplicate remote urls=\["nats:\/\/u:xxxxx@h:1"\], account="\$G"/,
  ],
];

for (const [text, mistake] of refused) {
  test(`refused: ${text}`, () => {
    const [first = '', ...others] = mistakes(() => read(text));
    assert.match(first, mistake);
    assert.deepEqual(others, []);
  });
}

test('what a variable stands for is no account, wherever it is defined', () => {
  const { options } = read('accounts { P = { publish: [ a ] }, A { users: [ { user: u, permissions: $P } ] } }');
  assert.deepEqual([...options.accounts.keys()], ['A']);
});
