// Configurations to options: every block once with all its kinds of values, and how mistakes are collected.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../../../../ts/core/config/config-error.ts';
import { allUsers, authTimeoutMs, defaultOptions } from '../../../../ts/core/config/options.ts';
import type { Options } from '../../../../ts/core/config/options.ts';
import { mistakes, read } from './memory-ports.ts';

const userKey = 'UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4';

/** Only what differs from the defaults. */
function changed(text: string): Partial<Options> {
  const { options } = read(text);
  const defaults: Record<string, unknown> = { ...defaultOptions() };
  const different = Object.entries(options).filter(([key, value]) => {
    return !['configFile', 'configDigest'].includes(key) && JSON.stringify(value) !== JSON.stringify(defaults[key]);
  });
  return Object.fromEntries(different);
}

const simple: readonly (readonly [text: string, options: Partial<Options>])[] = [
  ['port: -1', { port: -1 }],
  ['listen: 4333', { port: 4333 }],
  ['listen: "[::1]:4333"', { host: '::1', port: 4333 }],
  ['listen: localhost:-1', { host: 'localhost', port: -1 }],
  ['NET: 127.0.0.1', { host: '127.0.0.1' }],
  ['http: 127.0.0.1:8222', { httpHost: '127.0.0.1', httpPort: 8222 }],
  ['monitor_port: 8222', { httpPort: 8222 }],
  ['https: 8443', { httpsPort: 8443 }],
  ['server_tags: [" A b", c, C]', { serverTags: ['a b', 'c'] }],
  ['server_metadata { Zone: "1" }', { serverMetadata: { Zone: '1' } }],
  ['trace_verbose: yes', { trace: true, traceVerbose: true }],
  ['trace_headers: on', { trace: true, traceHeaders: true }],
  ['max_conn: 0', { maxConnections: 0 }],
  ['max_payload: 2MiB', { maxPayload: 2 * 2 ** 20 }],
  ['max_payload: 0, max_control_line: 0, max_pending: 0, ping_max: 0, ping_interval: "0s", write_deadline: "0s"', {}],
  ['ping_interval: "1m30s"', { pingIntervalMs: 90_000 }],
  ['write_deadline: "250ms"', { writeDeadlineMs: 250 }],
  ['lame_duck_duration: "1m", lame_duck_grace_period: 5s', { lameDuckDurationMs: 60_000, lameDuckGracePeriodMs: 5_000 }],
  ['write_timeout: retry', { writeTimeout: 'retry' }],
  ['feature_flags { a: on }', { featureFlags: { a: true } }],
  ['default_js_domain { A: x }', { defaultJsDomain: { A: 'x' } }],
];

for (const [text, options] of simple) {
  test(`${text} changes exactly these options`, () => assert.deepEqual(changed(text), options));
}

test('JetStream synchronizes before it acknowledges unless told otherwise', () => {
  assert.equal(read('jetstream: enabled').options.jetstream.syncIntervalMs, 'always');
  assert.equal(read('jetstream { sync_interval: "2m" }').options.jetstream.syncIntervalMs, 120_000);
  assert.equal(read('jetstream { sync: ALWAYS }').options.jetstream.syncIntervalMs, 'always');
});

test('a jetstream block switches on, with its sizes, limits and queues', () => {
  const { jetstream } = read(`store_dir: /data
    jetstream { max_mem: "1G", max_file: 10gb, domain: hub, limits { max_ack_pending: 5, batch { max_msgs: 7, timeout: 3s } }, request_queue_limit: 9 }`).options;
  const { enabled, storeDir, maxMemory, maxFile, domain, limits, requestQueueLimit, infoQueueLimit } = jetstream;
  assert.deepEqual([enabled, storeDir, maxMemory, maxFile, domain], [true, '/data', 2 ** 30, 10 * 2 ** 30, 'hub']);
  assert.deepEqual([limits.maxAckPending, limits.batchMaxMsgs, limits.batchTimeoutMs], [5, 7, 3_000]);
  assert.deepEqual([requestQueueLimit, infoQueueLimit], [9, 9]);
  assert.equal(read('jetstream { enabled: false, max_mem: 5 }').options.jetstream.enabled, false);
});

test('users get the default permissions of their block unless they have their own', () => {
  const { options } = read(`authorization {
    default_permissions { publish: ["a.*", b], subscribe { deny: "c q.*" } }
    users: [ {user: one, password: secret}, {nkey: ${userKey}, permissions { pub: x, allow_responses { max: 5, ttl: "1s" } }, clients: [websocket]} ]
    timeout: 1.5
  }`);
  const [one, two] = options.authorization.users;
  assert.deepEqual(one?.permissions, { publish: { allow: ['a.*', 'b'] }, subscribe: { deny: ['c q.*'] } });
  assert.deepEqual([one.user, one.pass, one.account], ['one', 'secret', '$G']);
  assert.deepEqual(two?.permissions, { publish: { allow: ['x'] }, allowResponses: { max: 5, expiresMs: 1_000 } });
  assert.deepEqual([two.nkey, two.allowedConnectionTypes], [userKey, ['WEBSOCKET']]);
  assert.equal(authTimeoutMs(options), 1_500);
});

test('responses are one within two minutes unless told otherwise', () => {
  const responses = (text: string) =>
    read(`authorization { permissions { allow_responses: ${text} } }`).options.authorization.defaultPermissions?.allowResponses;
  assert.deepEqual(responses('true'), { max: 1, expiresMs: 120_000 });
  assert.deepEqual(responses('{ max: -1 }'), { max: -1, expiresMs: 120_000 });
  assert.equal(responses('false'), undefined);
});

test('accounts hold users, limits, JetStream, mappings, exports and imports', () => {
  const { options } = read(`accounts {
    A { users: [{user: a, pass: a}], limits { max_conn: 5 }, jetstream { max_streams: 3 }, mappings { x: y, z: [{dest: w, weight: "30%"}] }
        exports: [ {stream: "e.>"}, {service: s, accounts: [B], response: stream, threshold: 1s} ] }
    B { jetstream: enabled, imports: [ {stream: {account: A, subject: "e.x"}, to: f}, {service: {account: A, subject: s}, share: true} ], trace_dest: t }
  }`);
  const a = options.accounts.get('A');
  const b = options.accounts.get('B');
  assert.deepEqual(
    allUsers(options).map(({ user, account }) => [user, account]),
    [['a', 'A']],
  );
  assert.deepEqual(
    [a?.limits.maxConnections, a?.limits.maxPayload, a?.jetstream?.maxStreams, a?.jetstream?.maxStore],
    [5, -1, 3, -1],
  );
  assert.deepEqual(a?.mappings, [
    { source: 'x', destinations: [{ subject: 'y', weight: 100, cluster: '' }] },
    { source: 'z', destinations: [{ subject: 'w', weight: 30, cluster: '' }] },
  ]);
  assert.deepEqual(
    a.exports.map(({ kind, subject, accounts, responseType }) => [kind, subject, accounts, responseType]),
    [
      ['stream', 'e.>', [], 'singleton'],
      ['service', 's', ['B'], 'stream'],
    ],
  );
  assert.deepEqual(
    b?.imports.map(({ kind, account, subject, to, share }) => [kind, account, subject, to, share]),
    [
      ['stream', 'A', 'e.x', 'f', false],
      ['service', 'A', 's', '', true],
    ],
  );
  assert.deepEqual(b.messageTrace, { dest: 't', sampling: 100 });
  assert.deepEqual([...read('accounts: [X, Y]').options.accounts.keys()], ['X', 'Y']);
});

test('TLS blocks imply verification and know the ways of the first handshake', () => {
  const tls = (text: string) => read(`tls { cert_file: c, key_file: k, ${text} }`).options.tls;
  assert.equal(tls('verify_and_map: true')?.verify, true);
  assert.deepEqual([tls('first: auto')?.handshakeFirst, tls('first: auto')?.handshakeFirstFallbackMs], [true, 50]);
  assert.deepEqual([tls('first: 300ms')?.handshakeFirst, tls('first: 300ms')?.handshakeFirstFallbackMs], [true, 300]);
  assert.deepEqual([tls('first: off')?.handshakeFirst, tls('timeout: 0.5')?.timeoutMs], [false, 500]);
  assert.equal(authTimeoutMs(read('tls { timeout: 5 }').options), 6_000);
});

test('listeners and peers have every field filled', () => {
  const { options } = read(`
    websocket { port: -1, no_tls: true, origins: "https://x", compress: true, headers { A: b } }
    leafnodes { listen: "127.0.0.1:-1", remotes: [ {url: "nats://h", hub: true, compression: off} ] }
    cluster { name: c, port: -1, routes: [nats://a:1, nats://b:2], authorization { user: u, password: p }, permissions { import: i, export { deny: e } } }
    gateway { name: c, port: -1, gateways: [ {name: d, url: nats://d:1} ], reject_unknown: true }
    mqtt { port: -1, ack_wait: "5s" }`);
  const { websocket, leafnodes, cluster, gateway, mqtt } = options;
  assert.deepEqual(
    [websocket?.port, websocket?.noTls, websocket?.allowedOrigins, websocket?.headers],
    [-1, true, ['https://x'], { A: 'b' }],
  );
  assert.deepEqual(
    [leafnodes?.host, leafnodes?.remotes[0]?.urls, leafnodes?.remotes[0]?.compression.mode],
    ['127.0.0.1', ['nats://h'], 'off'],
  );
  assert.deepEqual([cluster?.routes.length, cluster?.user, cluster?.pass, cluster?.poolSize], [2, 'u', 'p', 3]);
  assert.deepEqual(cluster?.permissions, { import: { allow: ['i'] }, export: { deny: ['e'] } });
  assert.deepEqual([gateway?.gateways[0]?.urls, gateway?.rejectUnknownCluster, mqtt?.ackWaitMs], [['nats://d:1'], true, 5_000]);
});

test('all mistakes are told at once, each with its place, and near names are suggested', () => {
  assert.deepEqual(
    mistakes(() => read('max_paylod: 1\nport: x\n debug: 1, zzzzzz: 2\ncluster {\n nam: x }')),
    [
      'test.conf:1:0: unknown field "max_paylod", did you mean "max_payload"?',
      'test.conf:2:1: expected an integer for "port", not the string "x"',
      'test.conf:3:2: expected a boolean for "debug", not the integer 1',
      'test.conf:3:12: unknown field "zzzzzz"',
      'test.conf:5:2: unknown field "nam", did you mean "name"?',
    ],
  );
});

test('an unquoted duration that became a number is warned about with its place', () => {
  const { options, warnings } = read('\nping_interval: 2m');
  assert.equal(options.pingIntervalMs, 2_000_000_000);
  assert.deepEqual(warnings.map(formatProblem), [
    'test.conf:2:1: ping_interval is the integer 2000000, taken as seconds; write a duration in quotes, like "2m"',
  ]);
});

test('an empty file is warned about', () => {
  assert.deepEqual(read('# nothing').warnings.map(formatProblem), ['test.conf: config has no values or is empty']);
});

test('keys whose feature is not built yet are told once each', () => {
  const { pendingFeatures } = read('mqtt { port: -1 }\nleafnodes { remotes: [] }\nMQTT { port: -1 }\nport: 1');
  assert.deepEqual(pendingFeatures, ['mqtt', 'leafnodes.remotes']);
});

test('the digest is of the JSON of the parsed file', () => {
  // Printed by nats-server -t for the same text.
  assert.equal(read('port=4222').options.configDigest, 'sha256:797533ebd0dfba7d34a0f9337ecf147e442871f48ddfd07ed751575a5737267e');
  assert.equal(
    read('X=4222\nport=$X').options.configDigest,
    'sha256:379c40ebde1eb2ec39ca129bfebd816184e7d146c335e9eac0dafab53952a65b',
  );
});
