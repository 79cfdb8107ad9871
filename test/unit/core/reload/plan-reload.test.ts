// Reloads: which options may change, what is logged about it, and that one forbidden change stops all of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topTable } from '../../../../ts/core/config/keys/top.ts';
import { planReload, reloadLines } from '../../../../ts/core/reload/plan-reload.ts';
import { sameValue } from '../../../../ts/core/reload/same-value.ts';
import { shownBytes, shownValue } from '../../../../ts/core/reload/reload-change.ts';
import { read } from '../config/memory-ports.ts';

function plan(before: string, after: string) {
  return planReload(read(before).options, read(after).options);
}

/** Lines of the changes, as nats-server logs them. */
const allowed: readonly (readonly [before: string, after: string, lines: readonly string[]])[] = [
  ['', 'debug: true', ['debug = true']],
  ['', 'trace_verbose: true', ['trace = true', 'trace_verbose = true']],
  ['logtime: true', 'logtime: false', ['logtime = false']],
  ['', 'log_file: x.log', ['log_file = x.log']],
  ['', 'max_payload: 2kb', ['max_payload = 2048']],
  ['', 'max_connections: 5', ['max_connections = 5']],
  ['', 'max_control_line: 512', ['max_control_line = 512']],
  ['', 'ping_interval: "5s"', ['ping_interval = 5s']],
  ['', 'ping_max: 5', ['ping_max = 5']],
  ['', 'write_deadline: "3s"', ['write_deadline = 3s']],
  ['', 'client_advertise: "x:1"', ['client_advertise = x:1']],
  ['', 'pid_file: p', ['pid_file = p']],
  ['', 'server_tags: [a, b]', ['tags']],
  ['', 'server_metadata { a: b }', ['metadata']],
  ['', 'no_fast_producer_stall: true', ['fast producers will not be stalled']],
  ['no_fast_producer_stall: true', '', ['fast producers will be stalled']],
  ['', 'connect_error_reports: 5', ['connect_error_reports = 5']],
  ['', 'authorization { user: a, pass: b }', ['authorization username', 'authorization password']],
  ['authorization { token: a }', 'authorization { token: b }', ['authorization token']],
  ['', 'authorization { users: [{user: a, pass: b}] }', ['authorization users']],
  ['', 'authorization { timeout: 5 }', ['authorization.timeout = 5s']],
  ['', 'accounts { A { users: [{user: a, pass: b}] } }', ['accounts']],
  ['', 'mappings { a: b }', ['mappings']],
  ['', 'tls { cert_file: c, key_file: k }', ['tls = enabled']],
  ['tls { cert_file: c, key_file: k }', '', ['tls = disabled']],
  ['tls { cert_file: c, key_file: k }', 'tls { cert_file: d, key_file: k }', ['tls = enabled']],
  ['tls { cert_file: c, key_file: k }', 'tls { cert_file: c, key_file: k, timeout: 5 }', ['tls timeout = 5']],
  ['tls { cert_file: c, key_file: k }', 'tls { cert_file: c, key_file: k, first: true }', ['Client TLS handshake first: true']],
  ['', 'jetstream { store_dir: d }', ['JetStream']],
  ['jetstream { store_dir: d, max_mem: 5M }', '', ['JetStream']],
  ['jetstream { max_mem: 5M }', 'jetstream { max_mem: 6M }', ['JetStream max_memory_store = 5.72 MB']],
  ['cluster { port: 1, name: x }', 'cluster { port: 1, name: x, pool_size: 5 }', ['cluster.pool_size = 5']],
  ['cluster { port: 1 }', 'cluster { port: 1, routes: ["nats://a:secret@h:1"] }', ['cluster.routes']],
  ['leafnodes { port: 1 }', 'leafnodes { port: 1, compression: off }', ['leafnodes.compression']],
  ['leafnodes { port: 1 }', 'leafnodes { port: 1, remotes: [{url: "nats://h"}] }', ['LeafNode remote added']],
  ['leafnodes { remotes: [{url: "nats://h"}] }', 'leafnodes { remotes: [] }', ['LeafNode remote removed']],
  [
    'leafnodes { remotes: [{url: "nats://h"}] }',
    'leafnodes { remotes: [{url: "nats://h", disabled: true}] }',
    ['remotes.disabled = true'],
  ],
  [
    'websocket { port: 1, tls { cert_file: c, key_file: k } }',
    'websocket { port: 1, tls { cert_file: d, key_file: k } }',
    ['websocket.tls'],
  ],
  ['mqtt { port: 1 }', 'mqtt { port: 1, ack_wait: "5s" }', ['mqtt.ack_wait = 5s']],
  [
    'authorization { users: [{user: a, pass: b}] }\nno_auth_user: a',
    'debug: false',
    ['no_auth_user removed', 'authorization users'],
  ],
  ['port: -1', 'port: -1', []],
];

for (const [before, after, lines] of allowed) {
  test(`"${before}" may become "${after}"`, () => {
    const { changes, errors } = plan(before, after);
    assert.deepEqual(errors, []);
    assert.deepEqual(
      changes.map(({ line }) => line),
      lines,
    );
  });
}

const refused: readonly (readonly [before: string, after: string, error: string])[] = [
  ['', 'port: 4333', 'config reload not supported for port: old=4222, new=4333'],
  ['', 'host: h', 'config reload not supported for host: old=0.0.0.0, new=h'],
  ['', 'http_port: 5', 'config reload not supported for http_port: old=0, new=5'],
  ['', 'server_name: x', 'config reload not supported for server_name: old=, new=x'],
  ['', 'max_pending: 1mb', 'config reload not supported for max_pending: old=67108864, new=1048576'],
  ['', 'max_subs: 4', 'config reload not supported for max_subscriptions: old=0, new=4'],
  ['', 'lame_duck_duration: "40s"', 'config reload not supported for lame_duck_duration: old=2m0s, new=40s'],
  ['', 'write_timeout: retry', 'config reload not supported for write_timeout: old=default, new=retry'],
  ['', 'system_account: X\naccounts { X {} }', 'config reload not supported for system_account: old=, new=X'],
  ['', 'feature_flags { x: true }', 'config reload not supported for feature_flags: old={}, new={"x":true}'],
  ['', 'allow_non_tls: true', 'config reload not supported for allow_non_tls: old=false, new=true'],
  ['', 'max_closed_clients: 5', 'config reload not supported for max_closed_clients: old=10000, new=5'],
  ['', 'log_max_num: 5', 'config reload not supported for log_max_num: old=0, new=5'],
  ['', 'resolver: MEMORY', 'config reload does not support moving to or from an account resolver'],
  [
    '',
    'no_auth_user: a\nauthorization { users: [{user: a, pass: b}] }',
    'config reload not supported for no_auth_user: old=, new=a',
  ],
  [
    'authorization { users: [{user: a, pass: b}] }\nno_auth_user: a',
    'authorization { users: [{user: a, pass: b}] }',
    'config reload not supported for no_auth_user: old=a, new=',
  ],
  [
    '',
    'authorization { proxy_required: true }',
    'config reload not supported for authorization.proxy_required: old=false, new=true',
  ],
  [
    'jetstream { max_mem: 5M }',
    'jetstream { max_mem: 4M }',
    'config reload not supported for decreasing jetstream max_memory_store',
  ],
  ['jetstream { max_mem: 5M }', 'jetstream { }', 'config reload not supported for decreasing jetstream max_memory_store'],
  [
    'jetstream { store_dir: a }',
    'jetstream { store_dir: b }',
    'config reload not supported for jetstream.store_dir: old=a, new=b',
  ],
  ['jetstream { }', 'jetstream { strict: false }', 'config reload not supported for jetstream.strict: old=true, new=false'],
  ['jetstream { }', 'jetstream { sync: "1m" }', 'config reload not supported for jetstream.sync_interval: old=always, new=1m0s'],
  ['', 'websocket { port: -1, no_tls: true }', 'config reload not supported for websocket.port: old=0, new=-1'],
  ['', 'leafnodes { port: -1 }', 'config reload not supported for leafnodes.port: old=0, new=-1'],
  ['', 'cluster { port: -1 }', 'config reload not supported for cluster.port: old=0, new=-1'],
  ['cluster { name: x }', 'cluster { name: y }', 'config reload not supported for cluster.name: old=x, new=y'],
  [
    'leafnodes { port: 1 }',
    'leafnodes { port: 1, advertise: "x:1" }',
    'config reload not supported for leafnodes.advertise: old=, new=x:1',
  ],
  [
    'leafnodes { remotes: [{url: "nats://h"}] }',
    'leafnodes { remotes: [{url: "nats://h", hub: true}] }',
    'config reload not supported for remotes.hub: old=false, new=true',
  ],
  ['mqtt { port: 1 }', 'mqtt { port: 1, js_domain: x }', 'config reload not supported for mqtt.js_domain: old=, new=x'],
];

for (const [before, after, error] of refused) {
  test(`"${before}" may not become "${after}"`, () => {
    const { changes, errors } = plan(before, after);
    assert.equal(errors[0], error);
    assert.deepEqual(changes, []);
  });
}

test('one forbidden change stops the others, and all forbidden ones are told', () => {
  const { changes, errors } = plan('', 'debug: true\nport: 1\nmax_pending: 1mb');
  assert.deepEqual([changes.length, errors.length], [0, 2]);
});

test('no secret is in a line or an error', () => {
  const before =
    'authorization { user: u, pass: hunter2 }\ncluster { port: 1, authorization { user: u, password: hunter2 } }\nmqtt { port: 1, authorization { pass: hunter2 } }\njetstream { key: hunter2 }';
  for (const after of ['', before.replaceAll('hunter2', 'hunter3'), 'mqtt { port: 2 }']) {
    const both = [plan(before, after), plan(after, before)];
    const text = both.flatMap(({ changes, errors }) => [...errors, ...changes.map(({ line }) => line)]).join('\n');
    assert.doesNotMatch(text, /hunter/, after);
  }
});

test('a reload ends with the digest of the file', () => {
  const now = read('debug: true').options;
  const lines = reloadLines(planReload(read('').options, now), now);
  assert.deepEqual(lines, ['Reloaded: debug = true', `Reloaded server configuration (${now.configDigest})`]);
});

test('a key that may change freely changes alone, one that may not is refused, for every key with a plain value', () => {
  const same = read('').options;
  for (const row of topTable.rows) {
    const [field] = row.fields;
    if (field === undefined || row.fields.length > 1 || row.table !== undefined || row.reload === 'part') continue;
    const changed = { ...same, [field]: 'something else' };
    const { changes, errors } = planReload(same, changed);
    assert.equal(errors.length > 0, row.reload === 'no', row.key);
    assert.equal(changes.length, row.reload === 'no' ? 0 : 1, row.key);
  }
});

test('values are compared by what they hold', () => {
  assert.ok(
    sameValue({ a: [1, { b: undefined }], c: new Map([['x', { y: 1 }]]) }, { a: [1, {}], c: new Map([['x', { y: 1 }]]) }),
  );
  assert.ok(!sameValue(new Map([['x', 1]]), new Map([['y', 1]])));
  assert.ok(!sameValue([1, 2], [1]));
  assert.ok(!sameValue({ a: 1 }, [1]));
});

test('values are shown shortly', () => {
  assert.deepEqual([512, 2048, 6_000_000, 3 * 2 ** 40].map(shownBytes), ['512 B', '2.00 KB', '5.72 MB', '3.00 TB']);
  assert.equal(shownValue('x.user_password', 'a'), '[REDACTED]');
});
