// The session machine: scripts of events, the actions they cause, in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Granted } from '../../../../ts/core/auth/decide.ts';
import type { WireError } from '../../../../ts/core/session/errors.ts';
import { closesWith, errorText, wireErrors } from '../../../../ts/core/session/errors.ts';
import type { ServerInfo } from '../../../../ts/core/session/info.ts';
import { SessionMachine } from '../../../../ts/core/session/machine.ts';
import type { Admission, SessionAction, SessionSettings } from '../../../../ts/core/session/session-types.ts';

const info: ServerInfo = {
  serverId: 'NID',
  serverName: 'me',
  version: '2.14.5',
  gitCommit: '',
  go: 'node20',
  host: '127.0.0.1',
  port: 4222,
  headers: true,
  authRequired: true,
  tlsRequired: false,
  tlsVerify: false,
  tlsAvailable: false,
  maxPayload: 1_048_576,
  jetstream: false,
  cluster: '',
  clusterDynamic: false,
  domain: '',
  connectUrls: [],
  lameDuck: false,
  apiLevel: 4,
  xkey: 'XKEY',
};

const granted: Granted = { kind: 'granted', account: 'A', user: 'a', label: 'user:a', listed: true, permissions: undefined };
const admission: Admission = { granted, isSystem: false, maxPayload: 100, maxSubs: 2 };

interface Bench {
  readonly machine: SessionMachine;
  settings: SessionSettings;
  info: ServerInfo;
}

function bench(change: Partial<SessionSettings> = {}): Bench {
  const settings: SessionSettings = {
    authTimeoutMs: 2_000,
    pingIntervalMs: 120_000,
    pingMax: 2,
    maxSubTokens: 0,
    headers: true,
    ...change,
  };
  const peer = { clientId: 7, clientIp: '192.0.2.1', nonce: '' };
  const made: Bench = {
    machine: new SessionMachine(
      peer,
      () => made.info,
      () => made.settings,
      0.5,
    ),
    settings,
    info,
  };
  return made;
}

/** Actions as short words; logs left out. */
function words(actions: readonly SessionAction[]): string[] {
  return actions.flatMap((action) => {
    switch (action.do) {
      case 'send':
        return action.text.startsWith('INFO')
          ? `INFO${action.text.includes('connect_info') ? ' who' : ''}${action.text.includes('"ldm":true') ? ' ldm' : ''}`
          : action.text.trimEnd();
      case 'bind':
        return `bind ${action.spec.account}${action.spec.authorized ? '' : ' nobody'}`;
      case 'timer':
        return `${action.timer} ${action.delayMs ?? 'off'}`;
      case 'close':
        return `close ${action.reason}`;
      case 'log':
        return [];
      default:
        return action.do;
    }
  });
}

const opened = { kind: 'opened', room: true, startTls: false, introduces: false, admission: undefined } as const;

function connected(made: Bench, json: string): string[] {
  made.machine.step(opened);
  made.machine.step({ kind: 'connect', json });
  return words(made.machine.step({ kind: 'admitted', admission }));
}

test('a connection is greeted, and waits for a CONNECT for a time', () => {
  assert.deepEqual(words(bench().machine.step(opened)), ['bind $G nobody', 'INFO', 'auth 2000', 'ping 120000']);
  const free = bench({ authTimeoutMs: undefined });
  assert.deepEqual(words(free.machine.step({ ...opened, admission })), ['bind A', 'INFO', 'ping 120000']);
});

test('INFO is exactly what nats-server writes', () => {
  const [, , greeting] = bench().machine.step(opened);
  const json = {
    ...{
      server_id: 'NID',
      server_name: 'me',
      version: '2.14.5',
      proto: 1,
      go: 'node20',
      host: '127.0.0.1',
      port: 4222,
      headers: true,
    },
    ...{ auth_required: true, max_payload: 1_048_576, client_id: 7, client_ip: '192.0.2.1', api_lvl: 4, xkey: 'XKEY' },
  };
  assert.deepEqual(greeting, { do: 'send', text: `INFO ${JSON.stringify(json)} \r\n` });
});

test('who may come in without credentials is not asked for any', () => {
  const greeting = bench()
    .machine.step({ ...opened, admission })
    .find((action) => action.do === 'send');
  assert.ok(greeting !== undefined && !greeting.text.includes('auth_required'), greeting?.text);
});

test('CONNECT is judged, then bound, acknowledged when verbose, and pinged soon', () => {
  const made = bench();
  made.machine.step(opened);
  const asked = made.machine.step({ kind: 'connect', json: '{"user":"a"}' });
  assert.deepEqual(words(asked), ['auth off', 'authenticate']);
  assert.equal(made.machine.judging, true);
  assert.deepEqual(words(made.machine.step({ kind: 'admitted', admission })), ['bind A', '+OK', 'ping 2200']);
  assert.equal(made.machine.judging, false);
  assert.deepEqual(connected(bench(), '{"verbose":false}'), ['bind A', 'ping 2200']);
});

test('a bind says what the client and its account may do', () => {
  const made = bench({ maxSubTokens: 9 });
  made.machine.step(opened);
  made.machine.step({ kind: 'connect', json: '{"verbose":false,"echo":false,"headers":true,"no_responders":true}' });
  const bind = made.machine.step({ kind: 'admitted', admission }).find((action) => action.do === 'bind');
  assert.deepEqual(bind?.spec, {
    ...{
      account: 'A',
      verbose: false,
      pedantic: true,
      echo: false,
      headers: true,
      noResponders: true,
      maxPayload: 100,
      maxSubs: 2,
    },
    ...{ maxSubTokens: 9, permissions: undefined, authorized: true, connected: true, judgeSubscribes: false, isSystem: false },
  });
});

test('a second CONNECT drops the subscriptions and is judged again', () => {
  const made = bench();
  connected(made, '{"verbose":false}');
  assert.deepEqual(words(made.machine.step({ kind: 'connect', json: '{}' })), ['auth off', 'dropSubscriptions', 'authenticate']);
  assert.deepEqual(words(made.machine.step({ kind: 'notAdmitted', error: 'authorization' })), [
    "-ERR 'Authorization Violation'",
    'auth off',
    'ping off',
    'close authFailure',
  ]);
});

test('what makes a CONNECT unacceptable', () => {
  const cases: readonly (readonly [json: string, headers: boolean, text: string | undefined, reason: string])[] = [
    ['{"user":1}', true, undefined, 'protocolViolation'],
    ['{"account":"X"}', true, 'Authorization Violation', 'authFailure'],
    ['{"new_account":true}', true, 'Authorization Violation', 'authFailure'],
    ['{"protocol":2}', true, 'invalid client protocol', 'badClientProtocol'],
    ['{"protocol":-1}', true, 'invalid client protocol', 'badClientProtocol'],
    ['{"no_responders":true}', true, 'no responders requires headers support', 'noRespondersRequiresHeaders'],
    ['{"no_responders":true,"headers":true}', false, 'no responders requires headers support', 'noRespondersRequiresHeaders'],
  ];
  for (const [json, headers, text, reason] of cases) {
    const { machine } = bench({ headers });
    machine.step(opened);
    const actions = machine.step({ kind: 'connect', json });
    if (machine.judging) actions.push(...machine.step({ kind: 'admitted', admission }));
    const errors = words(actions).filter((word) => word.startsWith('-ERR'));
    assert.deepEqual(errors, text === undefined ? [] : [`-ERR '${text}'`], json);
    assert.equal(words(actions).at(-1), `close ${reason}`, json);
    assert.equal(machine.closed, true);
  }
});

test('a full server greets, then refuses', () => {
  const actions = bench().machine.step({ ...opened, room: false });
  assert.deepEqual(words(actions), [
    'bind $G nobody',
    'INFO',
    "-ERR 'maximum connections exceeded'",
    'auth off',
    'ping off',
    'close maxConnections',
  ]);
});

test('timers start behind the TLS handshake, and a failed one ends without a word', () => {
  const made = bench();
  assert.deepEqual(words(made.machine.step({ ...opened, startTls: true })), ['bind $G nobody', 'INFO', 'startTls']);
  assert.deepEqual(words(made.machine.step({ kind: 'tlsDone', agreed: 'TLS version 1.3' })), ['auth 2000', 'ping 120000']);
  const failing = bench();
  failing.machine.step({ ...opened, startTls: true });
  assert.deepEqual(words(failing.machine.step({ kind: 'tlsFailed', problem: 'EOF' })), [
    'auth off',
    'ping off',
    'close tlsHandshake',
  ]);
});

test('the first PING of a protocol 1 client is answered with who it is, once', () => {
  const made = bench();
  connected(made, '{"protocol":1}');
  assert.deepEqual(words(made.machine.step({ kind: 'ping' })), ['PONG', 'INFO who', 'answerPings']);
  assert.deepEqual(words(made.machine.step({ kind: 'ping' })), ['PONG', 'answerPings']);
  const old = bench();
  connected(old, '{}');
  assert.deepEqual(words(old.machine.step({ kind: 'ping' })), ['PONG', 'answerPings']);
  const early = bench();
  early.machine.step({ ...opened, admission });
  assert.deepEqual(words(early.machine.step({ kind: 'ping' })), ['PONG']);
});

test('the INFO behind the first PING names account and limit', () => {
  const made = bench();
  connected(made, '{"protocol":1}');
  const [, second] = made.machine.step({ kind: 'ping' });
  assert.ok(second?.do === 'send');
  const told = JSON.parse(second.text.slice('INFO '.length)) as Record<string, unknown>;
  assert.deepEqual(
    [told['connect_info'], told['remote_account'], told['acc_is_sys'], told['max_payload']],
    [true, 'A', undefined, 100],
  );
});

test('a changed INFO goes to those who can read it and have read the first', () => {
  const made = bench();
  connected(made, '{"protocol":1}');
  made.info = { ...info, lameDuck: true };
  assert.deepEqual(words(made.machine.step({ kind: 'infoChanged' })), []);
  made.machine.step({ kind: 'ping' });
  assert.deepEqual(words(made.machine.step({ kind: 'infoChanged' })), ['INFO ldm']);
});

test('no CONNECT in time', () => {
  const timer = { kind: 'timer', timer: 'auth', nowMs: 2_000, lastInputMs: 0 } as const;
  const late = bench();
  late.machine.step(opened);
  assert.deepEqual(words(late.machine.step(timer)).slice(0, 1), ["-ERR 'Authentication Timeout'"]);
  const guest = bench();
  guest.machine.step({ ...opened, admission });
  assert.deepEqual(words(guest.machine.step({ ...timer, lastInputMs: 10 })), []);
  assert.deepEqual(words(guest.machine.step(timer)).at(-1), 'close authTimeout');
  const judged = bench();
  judged.machine.step(opened);
  judged.machine.step({ kind: 'connect', json: '{}' });
  assert.deepEqual(words(judged.machine.step(timer)), []);
});

test('unanswered pings make a connection stale', () => {
  const made = bench({ pingIntervalMs: 1_000, pingMax: 1 });
  connected(made, '{"verbose":false}');
  const tick = (nowMs: number, lastInputMs: number): string[] =>
    words(made.machine.step({ kind: 'timer', timer: 'ping', nowMs, lastInputMs }));
  assert.deepEqual(tick(1_000, 0), ['PING', 'ping 1000']);
  made.machine.step({ kind: 'pong', nowMs: 1_004 });
  assert.equal(made.machine.pings.rttMs, 4);
  assert.deepEqual(tick(2_000, 1_500), ['ping 1000'], 'a client that talks is not pinged');
  assert.deepEqual(tick(3_000, 1_500), ['PING', 'ping 1000']);
  assert.deepEqual(tick(4_000, 1_500), ["-ERR 'Stale Connection'", 'auth off', 'ping off', 'close staleConnection']);
  assert.deepEqual(tick(5_000, 1_500), []);
});

test('once an hour a client that talks is pinged all the same', () => {
  const made = bench({ pingIntervalMs: 1_000 });
  connected(made, '{"verbose":false}');
  const tick = (nowMs: number): string[] => words(made.machine.step({ kind: 'timer', timer: 'ping', nowMs, lastInputMs: nowMs }));
  assert.deepEqual(tick(1_000), ['PING', 'ping 1000']);
  made.machine.step({ kind: 'pong', nowMs: 1_001 });
  assert.deepEqual(tick(3_600_000), ['ping 1000']);
  assert.deepEqual(tick(3_601_002), ['PING', 'ping 1000']);
});

test('every error says and does what its row says', () => {
  for (const error of Object.keys(wireErrors) as WireError[]) {
    const made = bench();
    connected(made, '{"verbose":false}');
    const said = words(made.machine.step({ kind: 'kernelError', error, detail: 'S' }));
    const text = errorText(error, 'S');
    const reason = closesWith(error);
    const expected = [
      ...(text === undefined ? [] : [`-ERR '${text}'`]),
      ...(reason === undefined ? [] : ['auth off', 'ping off', `close ${reason}`]),
    ];
    assert.deepEqual(said, expected, error);
  }
});

test('a refused subscription is told with its queue, and with its sid when it is taken away', () => {
  const made = bench();
  connected(made, '{"verbose":false}');
  const denied = { kind: 'subscribeDenied', subject: 'a', sid: '1' } as const;
  assert.deepEqual(words(made.machine.step({ ...denied, queue: '', removed: false })), [
    '-ERR \'Permissions Violation for Subscription to "a"\'',
  ]);
  assert.deepEqual(words(made.machine.step({ ...denied, queue: 'q', removed: false })), [
    '-ERR \'Permissions Violation for Subscription to "a" using queue "q"\'',
  ]);
  assert.deepEqual(words(made.machine.step({ ...denied, queue: 'q', removed: true })), [
    '-ERR \'Permissions Violation for Subscription to "a" using queue "q" (sid "1")\'',
  ]);
});

test('after the end nothing more happens', () => {
  const made = bench();
  connected(made, '{}');
  assert.deepEqual(words(made.machine.step({ kind: 'end', error: undefined, reason: 'serverShutdown' })), [
    'auth off',
    'ping off',
    'close serverShutdown',
  ]);
  for (const event of [
    { kind: 'ping' },
    { kind: 'connect', json: '{}' },
    { kind: 'end', error: undefined, reason: 'kicked' },
  ] as const) {
    assert.deepEqual(made.machine.step(event), []);
  }
});
