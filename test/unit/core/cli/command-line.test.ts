// The command line: how flags are read, what they do, and what each ending prints and exits with.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAGS } from '../../../../ts/core/cli/flag-table.ts';
import { helpText } from '../../../../ts/core/cli/help.ts';
import { loadOptions } from '../../../../ts/core/cli/load-options.ts';
import type { Loaded } from '../../../../ts/core/cli/load-options.ts';
import { parseFlags, parseGoInt } from '../../../../ts/core/cli/parse-flags.ts';
import { defaultOptions } from '../../../../ts/core/config/options.ts';
import type { Options } from '../../../../ts/core/config/options.ts';
import { memoryPorts } from '../config/memory-ports.ts';

function load(argv: readonly string[], files: Readonly<Record<string, string>> = {}): Loaded {
  return loadOptions({ argv, program: 'prog', version: '2.14.5', ...memoryPorts({ files }) });
}

function run(argv: readonly string[], files?: Readonly<Record<string, string>>): Options {
  const loaded = load(argv, files);
  if (loaded.action !== 'run') assert.fail(`does not run: ${JSON.stringify(loaded)}`);
  return loaded.options;
}

function ending(
  argv: readonly string[],
  files?: Readonly<Record<string, string>>,
): [action: string, exitCode: number, stderr: string] {
  const loaded = load(argv, files);
  if (loaded.action === 'run' || loaded.action === 'signal') assert.fail(`goes on: ${loaded.action}`);
  return [loaded.action, loaded.exitCode, loaded.stderr];
}

const options: readonly (readonly [line: string, expected: Partial<Options>])[] = [
  ['', {}],
  ['-p 4333', { port: 4333 }],
  ['--port=4333', { port: 4333 }],
  ['-p 1 -p -1', { port: -1 }],
  ['-p 0x10', { port: 16 }],
  ['-a 127.0.0.1 -net ::1', { host: '::1' }],
  ['-n one --server_name two', { serverName: 'two' }],
  ['-m 8222', { httpPort: 8222 }],
  ['-P pid --ports_file_dir dir', { pidFile: 'pid', portsFileDir: 'dir' }],
  ['--client_advertise h:1', { clientAdvertise: 'h:1' }],
  ['-D', { debug: true }],
  ['-V', { trace: true }],
  ['-VV', { trace: true, traceVerbose: true }],
  ['-DV', { debug: true, trace: true }],
  ['-DVV', { debug: true, trace: true, traceVerbose: true }],
  ['-T=false --logtime_utc', { logtime: false, logtimeUtc: true }],
  ['-l log --log_size_limit 5 --max_traced_msg_len 6', { logFile: 'log', logSizeLimit: 5, maxTracedMsgLen: 6 }],
  ['-s -r udp://h:514', { syslog: true, remoteSyslog: 'udp://h:514' }],
  ['--profile 6060', { profPort: 6060 }],
  ['--', {}],
];

for (const [line, expected] of options) {
  test(`"${line}" changes exactly these options`, () => {
    assert.deepEqual(run(line.split(' ').filter(Boolean)), { ...defaultOptions(), ...expected });
  });
}

test('JetStream, credentials and TLS are set by flags', () => {
  const { jetstream, authorization, tls } = run(
    '-js -sd /d --user u --pass p --tlsverify --tlscert c --tlskey k --tlscacert a'.split(' '),
  );
  assert.deepEqual([jetstream.enabled, jetstream.storeDir], [true, '/d']);
  assert.deepEqual([authorization.user, authorization.pass], ['u', 'p']);
  assert.deepEqual([tls?.certFile, tls?.keyFile, tls?.caFile, tls?.verify], ['c', 'k', 'a', true]);
  assert.equal(run(['--auth', 't']).authorization.token, 't');
  assert.equal(run(['--tlscert', 'c', '--tlskey', 'k']).tls?.verify, false);
});

test('a cluster is set by flags', () => {
  const { cluster } = run(
    '--cluster nats://u:p%40@h:6222 --routes nats://a:1,nats://b:2 --cluster_name c --no_advertise --connect_retries 3'.split(
      ' ',
    ),
  );
  assert.deepEqual([cluster?.host, cluster?.port, cluster?.user, cluster?.pass], ['h', 6222, 'u', 'p@']);
  assert.deepEqual(
    [cluster?.routes, cluster?.name, cluster?.noAdvertise, cluster?.connectRetries],
    [['nats://a:1', 'nats://b:2'], 'c', true, 3],
  );
});

test('flags of what is not built yet are told as the keys of the file are, each once', () => {
  const argv = '-c f.conf --profile 6060 --cluster nats://h:6222 --cluster_name c'.split(' ');
  const loaded = load(argv, { 'f.conf': 'cluster { name: d }' });
  assert.deepEqual(loaded.action === 'run' && loaded.pendingFeatures, ['cluster']);
});

test('flags win over the file, and only where they say something', () => {
  const files = { 'f.conf': 'port: 1\nhost: h\ndebug: true\ntls { }\njetstream { store_dir: /a, domain: d }\nserver_name: n' };
  const { port, host, debug, tls, jetstream, serverName } = run('-c f.conf -p 2 -D=false --tls=false -sd /b'.split(' '), files);
  assert.deepEqual([port, host, debug, tls, serverName], [2, 'h', false, undefined, 'n']);
  assert.deepEqual([jetstream.enabled, jetstream.storeDir, jetstream.domain], [true, '/b', 'd']);
  assert.equal(run('-c f.conf -js=false'.split(' '), files).jetstream.enabled, false);
});

const unreadable: readonly (readonly [line: string, wrong: string])[] = [
  ['-x', 'flag provided but not defined: -x'],
  ['--foo=1', 'flag provided but not defined: -foo'],
  ['-p', 'flag needs an argument: -p'],
  ['-p abc', 'invalid value "abc" for flag -p: parse error'],
  ['-p=1e3', 'invalid value "1e3" for flag -p: parse error'],
  ['-D=maybe', 'invalid boolean value "maybe" for -D: parse error'],
  ['---p', 'bad flag syntax: ---p'],
  ['--=1', 'bad flag syntax: --=1'],
];

for (const [line, wrong] of unreadable) {
  test(`"${line}" prints what is wrong and the help, and exits 0`, () => {
    const loaded = load(line.split(' '));
    assert.deepEqual(loaded, { action: 'help', stdout: helpText('prog'), stderr: `${wrong}\n`, exitCode: 0 });
  });
}

const refused: readonly (readonly [line: string, wrong: string])[] = [
  ['foo', 'unrecognized command: "foo"'],
  ['-D maybe', 'unrecognized command: "maybe"'],
  ['-p -1 extra', 'unrecognized command: "extra"'],
  ['-', 'unrecognized command: "-"'],
  ['-- foo', 'unrecognized command: "foo"'],
  ['-t', 'must specify [-c, --config] option to check configuration file syntax'],
  ['-c nope', 'open nope: no such file or directory'],
  ['-t -c nope', 'open nope: no such file or directory'],
  ['--routes nats://x:1', 'solicited routes require cluster capabilities, e.g. --cluster'],
  ['--cluster nats://h', 'cluster listen "nats://h": missing port in address'],
  ['--cluster h:1', 'cluster listen "h:1" must be a URL like nats://user:pass@host:port'],
  ['--tls', 'TLS Server certificate must be present and valid'],
  ['--tls --tlscert c', 'TLS Server private key must be present and valid'],
  ['--https_port 1', 'TLS cert and key required for HTTPS'],
];

for (const [line, wrong] of refused) {
  test(`"${line}" fails with one line and exits 1`, () =>
    assert.deepEqual(ending(line.split(' ')), ['failed', 1, `prog: ${wrong}\n`]));
}

test('a name with spaces is refused', () =>
  assert.deepEqual(ending(['-n', 'a b']), ['failed', 1, 'prog: server name cannot contain spaces\n']));

test('help and version are flags and words', () => {
  for (const line of ['-h', '--help', 'help', 'HELP', 'help foo', '-p 5 help']) {
    assert.deepEqual(load(line.split(' ')), { action: 'help', stdout: helpText('prog'), stderr: '', exitCode: 0 }, line);
  }
  for (const line of ['-v', '--version', 'version', '-p 5 version', '-v -c nope']) {
    assert.deepEqual(
      load(line.split(' ')),
      { action: 'version', stdout: 'nats-server: v2.14.5\n', stderr: '', exitCode: 0 },
      line,
    );
  }
  assert.match(JSON.stringify(load(['--help_tls'])), /cert_file/);
});

test('every spelling of every flag is in the help', () => {
  const text = helpText('prog');
  for (const { names } of FLAGS) {
    for (const name of names) assert.match(text, new RegExp(`(^|[ ,])--?${name}[ ,\n]`, 'm'), name);
  }
});

test('-t tells the digest of a right file and everything wrong with another', () => {
  const files = {
    'good.conf': 'port=4222',
    'warns.conf': 'ping_interval: 5',
    'bad.conf': 'foo: 1\n bar: 2',
    'later.conf': 'max_payload: 70mb',
  };
  const digest = 'sha256:797533ebd0dfba7d34a0f9337ecf147e442871f48ddfd07ed751575a5737267e';
  assert.deepEqual(ending(['-t', '-c', 'good.conf'], files), [
    'test-config',
    0,
    `prog: configuration file good.conf is valid (${digest})\n`,
  ]);
  assert.deepEqual(ending(['-t', '-c', 'bad.conf'], files), [
    'failed',
    1,
    'prog: bad.conf:1:0: unknown field "foo"\nbad.conf:2:2: unknown field "bar"\n',
  ]);
  assert.deepEqual(ending(['-t', '-c', 'warns.conf'], files).slice(0, 2), ['failed', 1]);
  // Rules between options are for the start.
  assert.deepEqual(ending(['-t', '-c', 'later.conf'], files).slice(0, 2), ['test-config', 0]);
  assert.deepEqual(ending(['-c', 'later.conf'], files).slice(0, 2), ['failed', 1]);
});

test('a signal is handed on as it was written', () => {
  assert.deepEqual(load(['--signal', 'reload=12']), { action: 'signal', request: 'reload=12' });
  assert.deepEqual(load(['-sl=ldm=/run/pid']), { action: 'signal', request: 'ldm=/run/pid' });
});

test('integers are read as Go reads them', () => {
  const read = ['0', '010', '0x1F', '0b11', '0o17', '1_000', '-5', '+5', '', '1e3', '08', ' 5', '5 '].map(parseGoInt);
  assert.deepEqual(read, [0, 8, 31, 3, 15, 1000, -5, 5, undefined, undefined, undefined, undefined, undefined]);
});

test('words after the flags are kept', () => {
  assert.deepEqual(parseFlags(['-D', 'a', '-V']), { values: new Map([['debug', true]]), words: ['a', '-V'] });
});
