// Rules between options: what a server refuses to start with, in one line each.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Options } from '../../../../ts/core/config/options.ts';
import { emptyAccount } from '../../../../ts/core/config/options-auth.ts';
import { decodeOperator } from '../../../../ts/core/jwt/operator-claims.ts';
import { nodeTokens } from '../../../../ts/node/crypto.ts';
import { TestOperator } from '../../../support/tokens.ts';
import { pendingText } from '../../../../ts/core/config/unbuilt.ts';
import { validateOptions } from '../../../../ts/core/config/validate-options.ts';
import { read } from './memory-ports.ts';

const users = 'authorization { users: [{user: a, pass: b}] }';

const refused: readonly (readonly [text: string, problem: string])[] = [
  ['max_payload: 70mb', 'max_payload (73400320) cannot be higher than max_pending (67108864)'],
  [
    'lame_duck_duration: "30s", lame_duck_grace_period: "30s"',
    'lame duck grace period (30s) should be strictly lower than lame duck duration (30s)',
  ],
  ['port: 70000', 'port 70000 is not between -1 and 65535'],
  ['http_port: 1, https_port: 2, tls { }', "can't specify both HTTP (1) and HTTPs (2) ports"],
  ['https_port: 2', 'TLS cert and key required for HTTPS'],
  ['no_auth_user: x', 'no_auth_user: "x" present, but users/nkeys are not defined'],
  [`no_auth_user: x, ${users}`, 'no_auth_user: "x" not present as user or nkey in authorization block or account configuration'],
  ['system_account: X', 'error resolving system account "X": account missing'],
  ['default_js_domain { "$SYS": b }', 'in non operator mode, `default_js_domain` references non existing account "$SYS"'],
  ['accounts { S {} }, system: S, default_js_domain { S: b }', 'system account "S" can not be in default_js_domain'],
  ['accounts { A {} }, default_js_domain { A: "b.>" }', 'default_js_domain contains account "A" with invalid domain name "b.>"'],
  [
    'accounts { A { jetstream: on } }, default_js_domain { A: b }',
    'default_js_domain contains account name "A" with enabled JetStream',
  ],
  ['default_js_domain { A: b }', 'in non operator mode, `default_js_domain` references non existing account "A"'],
  ['jetstream { tpm { keys_file: x } }', "Can't start JetStream: TPM functionality is not supported on this platform"],
  [
    'jetstream { key: k, tpm { keys_file: x } }',
    "Can't start JetStream: JetStream encryption key may not be used with TPM options",
  ],
  ['websocket { port: -1 }', 'websocket requires TLS configuration'],
  [
    'websocket { port: -1, no_tls: true, origins: x }',
    'unable to parse allowed origin "x": it must be a URL like https://example.com',
  ],
  ['websocket { port: -1, no_tls: true, origins: "http://" }', 'unable to parse allowed origin "http://": host is required'],
  ['websocket { port: -1, no_tls: true, headers { Host: b } }', 'websocket: invalid header "Host" not allowed'],
  [
    'websocket { port: -1, no_tls: true, headers { sec-websocket-x: b } }',
    'websocket: invalid header "sec-websocket-x", "Sec-WebSocket-" prefix not allowed',
  ],
  [
    `websocket { port: -1, no_tls: true, authorization { user: z } }, ${users}`,
    'websocket authentication username not compatible with presence of users/nkeys',
  ],
  [
    'websocket { port: -1, no_tls: true, jwt_cookie: c }',
    'trusted operators or trusted keys configuration is required for JWT authentication via cookie "c"',
  ],
  ['cluster { port: -1 }, jetstream: true', 'jetstream cluster requires `server_name` to be set'],
  ['cluster { port: -1 }, jetstream: true, server_name: s', 'jetstream cluster requires `cluster.name` to be set'],
  ['cluster { compression { mode: s2_auto, rtt: [10ms, 5ms] } }', 'RTT threshold values [10ms 5ms] should be in ascending order'],
  ['cluster { accounts: [A, A] }', 'found duplicate account name "A" in pinned accounts list ["A","A"]'],
  ['cluster { accounts: [A], pool_size: -1 }', 'pool_size cannot be negative if pinned accounts are specified'],
  ['gateway { port: -1 }', 'gateway has no name'],
  ['gateway { name: A }', 'gateway "A" has no port specified (select -1 for random port)'],
  ['gateway { name: A, port: -1 }, cluster { name: B }', 'cluster name conflicts between cluster and gateway definitions'],
  [
    'leafnodes { port: -1 }, gateway { name: A, port: -1 }',
    'leaf nodes and gateways (both being defined) require a system account to also be configured',
  ],
  ['leafnodes { authorization { account: Z } }', 'cannot find local account "Z" specified in leafnode authorization'],
  ['leafnodes { remotes: [ {url: "nats://h", account: Z} ] }', 'cannot find local account "Z" specified in leafnode remote'],
  [
    'leafnodes { remotes: [ {urls: ["ws://x", "nats://y"]} ] }',
    'remote leaf node configuration cannot have a mix of websocket and non-websocket urls: ["ws://x","nats://y"]',
  ],
  ['jetstream { domain: "a.b" }', 'invalid domain name: may not contain ., * or >'],
  ['jetstream { domain: "a b" }', 'invalid domain name: derived "$JS.a b.API.>" is not a valid subject'],
  ['mqtt { port: -1 }', 'mqtt requires JetStream to be enabled if running in standalone mode'],
];

for (const [text, problem] of refused) {
  test(`${text} is refused`, () => assert.deepEqual(validateOptions(read(text).options), [problem]));
}

test('a key that is not built yet starts a server, which says once that it has no effect', () => {
  const { pendingFeatures } = read('gateway { name: g, port: -1 }');
  assert.deepEqual(pendingFeatures.map(pendingText), [
    '"gateway" is known, but what it configures is not built yet: it has no effect',
  ]);
});

const operated: readonly (readonly [change: (options: Options) => void, problem: string])[] = [
  [(options) => (options.resolver = undefined as never), 'operators require an account resolver to be configured'],
  [(options) => options.accounts.set('A', emptyAccount('A')), 'operators do not allow Accounts to be configured directly'],
  [(options) => (options.trustedKeys = ['O']), "conflicting options for 'TrustedKeys' and 'TrustedOperators'"],
  [(options) => (options.systemAccount = 'X'), 'system_account in config and operator JWT must be identical'],
  [(options) => (options.resolverPinnedAccounts = ['x']), 'pinned account key "x" is not a valid public account nkey'],
  [(options) => (options.noAuthUser = 'u'), 'no_auth_user not compatible with trusted operators'],
];

function operatorOptions(nats: Record<string, unknown> = { system_account: 'SYS' }): Options {
  const { options } = read('resolver: MEMORY');
  const jwt = new TestOperator().jwt(nats);
  options.operators = [decodeOperator(jwt, nodeTokens)];
  return options;
}

test('operators leave no place for other users, and want a resolver', () => {
  assert.deepEqual(validateOptions(operatorOptions()), []);
  for (const [change, problem] of operated) {
    const options = operatorOptions();
    change(options);
    assert.deepEqual(validateOptions(options), [problem]);
  }
});

test('an operator may ask for a version of the server', () => {
  const problems = (version: string): string[] => validateOptions(operatorOptions({ assert_server_version: version }));
  assert.deepEqual(problems('2.14.5'), []);
  assert.deepEqual(problems('2.10.99'), []);
  assert.match(problems('3.0.0')[0] ?? '', /expected major version 3 > server major version 2$/);
  assert.match(problems('2.15.0')[0] ?? '', /expected minor version 15 > server minor version 14$/);
  assert.match(problems('2.14.6')[0] ?? '', /expected update version 6 > server update version 5$/);
  assert.match(problems('x')[0] ?? '', /must be of the form <major>.<minor>.<update>$/);
});

test('several broken rules are all told', () => {
  assert.equal(validateOptions(read('http_port: 1, https_port: 2, max_payload: 70mb').options).length, 3);
});

test('what starts a nats-server starts this one', () => {
  const fine = [
    '',
    users,
    `no_auth_user: a, ${users}`,
    'system_account: "$SYS"',
    'websocket { port: -1, no_tls: true }',
    'websocket { no_tls: false }',
    'leafnodes { listen: "127.0.0.1:-1" }',
    'accounts { X {} }, system_account: X',
    'max_payload: 64mb',
  ];
  for (const text of fine) assert.deepEqual(validateOptions(read(text).options), [], text);
});
