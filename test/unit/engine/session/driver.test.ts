// Sessions at work on a host that records: authentication in time and late, timers, reloads, what operators see.
import { nodeTokens } from '../../../../ts/node/crypto.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyAccount } from '../../../../ts/core/config/options-auth.ts';
import { defaultOptions } from '../../../../ts/core/config/options.ts';
import type { Options, UserOptions } from '../../../../ts/core/config/options.ts';
import type { CloseReason } from '../../../../ts/core/session/reasons.ts';
import type { BindSpec, Session, SessionHost } from '../../../../ts/engine/session/session.ts';
import { Sessions } from '../../../../ts/engine/session/sessions.ts';
import type { Transport } from '../../../../ts/ports/connection.ts';
import type { Crypto } from '../../../../ts/ports/crypto.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

class RecordingHost implements SessionHost {
  sent = '';
  binds: BindSpec[] = [];
  closed: CloseReason | undefined;
  proceeded = 0;
  dropped = 0;
  inputMs = 0;
  session: Session | undefined;
  subs: { subject: string; queue: string; sid: string }[] = [];
  readonly cid: number;
  readonly transport: Transport;

  constructor(cid: number, transport: Partial<Transport> = {}) {
    this.cid = cid;
    this.transport = {
      ...{ kind: 'tcp', remoteAddress: '192.0.2.1', remotePort: 5_000, localAddress: '192.0.2.2', localPort: 4_222 },
      ...{
        write: () => true,
        unsentBytes: 0,
        pauseReading: () => undefined,
        resumeReading: () => undefined,
        end: () => undefined,
        destroy: () => undefined,
      },
      ...transport,
    };
  }

  send(text: string): void {
    this.sent += text;
  }
  bind(spec: BindSpec): void {
    this.binds.push(spec);
  }
  dropSubscriptions(): void {
    this.dropped++;
  }
  hold(): void {}
  proceed(): void {
    this.proceeded++;
  }
  close(reason: CloseReason): void {
    this.closed = reason;
  }
  lastInputMs(): number {
    return this.inputMs;
  }
  subscriptions(): { subject: string; queue: string; sid: string }[] {
    return this.subs;
  }
  unsubscribe(sid: string): void {
    this.subs = this.subs.filter((sub) => sub.sid !== sid);
  }
  answerPings(): void {}

  /** What was sent since the last look, INFO lines shortened. */
  take(): string {
    const { sent } = this;
    this.sent = '';
    return sent.replaceAll(/INFO \{.*\} \r\n/g, 'INFO\r\n');
  }
}

class Bench {
  readonly clock = new VirtualClock();
  readonly lines: string[] = [];
  readonly compared: { password: string; answer: (equal: boolean) => void }[] = [];
  readonly sessions: Sessions;
  turns = 0;
  #cids = 0;

  constructor(options: Options) {
    const note = (level: string) => (text: string) => void this.lines.push(`${level} ${text}`);
    const crypto: Crypto = {
      sha256: (bytes) => bytes,
      verifyNkey: (nkey, message, signature) =>
        new TextDecoder().decode(signature) === `${nkey}:${new TextDecoder().decode(message)}`,
      tokens: nodeTokens,
      compareBcrypt: (password) => new Promise((answer) => this.compared.push({ password, answer })),
    };
    this.sessions = new Sessions(
      options,
      { serverId: 'NID', serverName: 'me', version: '2.14.5', gitCommit: '', go: 'node', xkey: '', apiLevel: 4 },
      {
        clock: this.clock,
        random: { bytes: (length) => new Uint8Array(length), below: () => 0 },
        crypto,
        log: {
          debugOn: true,
          traceOn: false,
          ...{ fatal: note('F'), error: note('E'), warn: note('W'), info: note('I'), debug: note('D'), trace: note('T') },
        },
        turn: (work) => {
          this.turns++;
          work();
        },
      },
    );
  }

  open(transport: Partial<Transport> = {}): { host: RecordingHost; session: Session } {
    const host = new RecordingHost(++this.#cids, transport);
    const session = this.sessions.open(host);
    session.begin();
    return { host, session };
  }

  connect(json: object, transport: Partial<Transport> = {}): { host: RecordingHost; session: Session } {
    const made = this.open(transport);
    made.session.onConnect(JSON.stringify({ verbose: false, ...json }));
    return made;
  }
}

const user = (name: string, pass: string, change: Partial<UserOptions> = {}): UserOptions => ({
  ...{ user: name, pass, nkey: '', account: '$G', proxyRequired: false },
  ...change,
});

function optionsOf(users: UserOptions[], change: (options: Options) => void = () => undefined): Options {
  const options = defaultOptions();
  options.authorization.users = users;
  change(options);
  return options;
}

test('a client is greeted, let in and logged with its name', () => {
  const bench = new Bench(optionsOf([user('a', 'b')]));
  const { host, session } = bench.connect({ user: 'a', pass: 'b', name: 'me', lang: 'go', version: '1.2' });
  assert.equal(host.take(), 'INFO\r\n');
  assert.deepEqual([host.binds[0]?.authorized, host.binds[1]?.authorized, host.closed], [false, true, undefined]);
  const { account, authorizedUser, name, lang, version, authorized } = session.facts;
  assert.deepEqual([account, authorizedUser, name, lang, version, authorized], ['$G', 'a', 'me', 'go', '1.2', true]);
  session.onClosed('clientClosed');
  assert.equal(
    bench.lines.at(-1),
    'D 192.0.2.1:5000 - cid:1 - "v1.2:go:me" - "$G/user:a" - Client connection closed: Client Closed',
  );
  bench.clock.advance(3_600_000);
  assert.deepEqual([bench.sessions.size, host.take()], [0, ''], 'timers end with the connection');
});

test('a wrong password is told, logged, and closes', () => {
  const bench = new Bench(optionsOf([user('a', 'b')]));
  const { host } = bench.connect({ user: 'a', pass: 'x' });
  assert.equal(host.take(), "INFO\r\n-ERR 'Authorization Violation'\r\n");
  assert.equal(host.closed, 'authFailure');
  assert.equal(bench.lines.at(-1), 'E 192.0.2.1:5000 - cid:1 - authentication error - User "a"');
});

test('a hashed password is compared beside the loop, and the connection goes on then', async () => {
  const bench = new Bench(optionsOf([user('a', '$2a$04$hash')]));
  const { host, session } = bench.open();
  assert.equal(session.onConnect('{"user":"a","pass":"b","verbose":false}'), 'pending');
  assert.deepEqual([bench.compared[0]?.password, host.proceeded], ['b', 0]);
  bench.compared[0]?.answer(true);
  await new Promise(setImmediate);
  assert.deepEqual([host.proceeded, host.binds.at(-1)?.authorized], [1, true]);
  const gone = bench.open();
  gone.session.onConnect('{"user":"a","pass":"b"}');
  gone.session.onClosed('clientClosed');
  bench.compared[1]?.answer(true);
  await new Promise(setImmediate);
  assert.deepEqual([gone.host.proceeded, bench.sessions.accounts.connections('$G')], [0, 1]);
});

test('an nkey signs the nonce of its greeting, in either alphabet', () => {
  const bench = new Bench(optionsOf([user('', '', { nkey: 'UKEY' })]));
  for (const alphabet of ['base64', 'base64url'] as const) {
    const { host, session } = bench.open();
    const nonce = /"nonce":"([^"]{15})"/.exec(host.sent)?.[1] ?? assert.fail(host.sent);
    const sig = Buffer.from(`UKEY:${nonce}`).toString(alphabet);
    session.onConnect(JSON.stringify({ nkey: 'UKEY', sig, verbose: false }));
    assert.equal(host.closed, undefined);
    assert.equal(session.facts.authorizedUser, 'UKEY');
  }
});

test('the room of the server and of an account', () => {
  const account = { ...emptyAccount('A'), users: [user('a', 'b', { account: 'A' })] };
  account.limits.maxConnections = 1;
  const bench = new Bench(optionsOf([], (options) => void options.accounts.set('A', account)));
  const first = bench.connect({ user: 'a', pass: 'b' });
  const second = bench.connect({ user: 'a', pass: 'b' });
  assert.equal(second.host.take(), "INFO\r\n-ERR 'maximum account active connections exceeded'\r\n");
  first.session.onClosed('clientClosed');
  second.session.onClosed('maxAccountConnections');
  assert.equal(bench.connect({ user: 'a', pass: 'b' }).host.closed, undefined);
  const full = new Bench(optionsOf([], (options) => Object.assign(options, { maxConnections: 0 })));
  assert.equal(full.open().host.closed, 'maxConnections');
});

test('a client that does not speak is closed in time, one that does is pinged', () => {
  const bench = new Bench(optionsOf([user('a', 'b')]));
  const silent = bench.open();
  const good = bench.connect({ user: 'a', pass: 'b' });
  bench.clock.advance(2_000);
  assert.equal(silent.host.closed, 'authTimeout');
  assert.equal(good.host.take(), 'INFO\r\n', 'the first pings of clients that come together are spread');
  bench.clock.advance(25);
  assert.equal(good.host.take(), 'PING\r\n');
  bench.clock.advance(7);
  good.session.onPong();
  assert.equal(good.session.facts.rttMs, 7);
  assert.ok(bench.turns > 0, 'what timers send must be flushed');
});

test('WebSocket clients may come with cookies', () => {
  const options = optionsOf([user('a', 'b')], (made) => {
    made.websocket = {
      ...{
        host: '',
        port: -1,
        advertise: 'edge:443',
        noTls: true,
        sameOrigin: false,
        allowedOrigins: [],
        compression: false,
        handshakeTimeoutMs: 0,
      },
      ...{
        noAuthUser: '',
        jwtCookie: '',
        userCookie: 'u',
        passCookie: 'p',
        tokenCookie: '',
        headers: {},
        pingIntervalMs: undefined,
      },
    };
  });
  const bench = new Bench(options);
  const { host, session } = bench.connect({}, { kind: 'websocket', cookies: { u: 'a', p: 'b' } });
  assert.match(host.sent, /"host":"edge","port":443/);
  assert.deepEqual([session.facts.authorizedUser, host.closed], ['a', undefined]);
  assert.match(bench.lines[0] ?? '', / - wid:1 - Client connection created$/);
});

test('a verdict for each SUB, told where it is denied', () => {
  const permissions = { subscribe: { allow: ['foo.*'], deny: ['foo.bar'] } };
  const bench = new Bench(optionsOf([user('a', 'b', { permissions })], (options) => Object.assign(options, { maxSubTokens: 3 })));
  const { host, session } = bench.connect({ user: 'a', pass: 'b' });
  host.take();
  assert.equal(host.binds.at(-1)?.judgeSubscribes, true);
  assert.deepEqual(
    [
      session.onSubscribe('foo.a', '', '1'),
      session.onSubscribe('foo.*', '', '2'),
      session.onSubscribe('foo.bar', 'q', '3'),
      session.onSubscribe('a.b.c.d', '', '4'),
    ],
    ['ok', 'filtered', 'denied', 'denied'],
  );
  assert.equal(
    host.take(),
    '-ERR \'Permissions Violation for Subscription to "foo.bar" using queue "q"\'\r\n-ERR \'Permissions Violation for Subscription to "a.b.c.d", too many tokens\'\r\n',
  );
});

test('a reload judges everybody again: gone users, narrower permissions, other accounts', () => {
  const bench = new Bench(optionsOf([user('a', 'b'), user('c', 'd'), user('e', 'f')]));
  const [kept, removed, moved] = [
    bench.connect({ user: 'a', pass: 'b' }),
    bench.connect({ user: 'c', pass: 'd' }),
    bench.connect({ user: 'e', pass: 'f' }),
  ];
  kept.host.subs = [
    { subject: 'x.1', queue: '', sid: '1' },
    { subject: 'y', queue: 'q', sid: '2' },
  ];
  kept.host.take();
  const permissions = { subscribe: { allow: ['x.*'] } };
  const account = { ...emptyAccount('E'), users: [user('e', 'f', { account: 'E' })] };
  bench.sessions.reload(optionsOf([user('a', 'b', { permissions })], (options) => void options.accounts.set('E', account)));
  assert.equal(kept.host.take(), '-ERR \'Permissions Violation for Subscription to "y" using queue "q" (sid "2")\'\r\n');
  assert.deepEqual([kept.host.subs.map(({ sid }) => sid), kept.host.closed], [['1'], undefined]);
  assert.deepEqual([removed.host.closed, moved.host.closed], ['clientClosed', 'clientClosed']);
  assert.equal(removed.host.take(), 'INFO\r\n');
  bench.sessions.reload(optionsOf([user('a', 'other')]));
  assert.deepEqual([kept.host.take(), kept.host.closed], ["-ERR 'Authorization Violation'\r\n", 'authFailure']);
});

test('a reload that lowers the connections of an account closes the newest of them', () => {
  const limited = (maxConnections: number): Options =>
    optionsOf([], (options) => {
      const account = { ...emptyAccount('A'), users: [user('a', 'b', { account: 'A' })] };
      options.accounts.set('A', { ...account, limits: { ...account.limits, maxConnections } });
    });
  const bench = new Bench(limited(3));
  const [oldest, newer, newest] = [0, 1, 2].map(() => bench.connect({ user: 'a', pass: 'b' }));
  for (const connection of [oldest, newer, newest]) connection?.host.take();
  bench.sessions.reload(limited(2));
  assert.deepEqual(
    [oldest?.host.closed, newer?.host.closed, newest?.host.closed],
    [undefined, undefined, 'maxAccountConnections'],
  );
  assert.equal(newest?.host.take(), "-ERR 'maximum account active connections exceeded'\r\n");
});

test('lame duck is announced to those who have read an INFO behind their PING', () => {
  const bench = new Bench(optionsOf([]));
  const [informed, old] = [bench.connect({ protocol: 1 }), bench.connect({})];
  for (const { session, host } of [informed, old]) {
    session.onPing();
    host.take();
  }
  bench.sessions.enterLameDuck();
  assert.match(informed.host.sent, /^INFO \{.*"ldm":true.*\} \r\n$/);
  assert.equal(old.host.sent, '');
  bench.sessions.endAll('serverShutdown');
  assert.deepEqual([informed.host.closed, old.host.closed], ['serverShutdown', 'serverShutdown']);
});

test('the handshake is asked for behind the greeting, and its failure ends the session', async () => {
  const bench = new Bench(optionsOf([]));
  const failing = bench.open({
    startTls: () => Promise.reject(new Error('tls: first record does not look like a TLS handshake')),
  });
  assert.equal(failing.host.take(), 'INFO\r\n');
  await new Promise(setImmediate);
  assert.equal(failing.host.closed, 'tlsHandshake');
  assert.match(bench.lines.at(-1) ?? '', /^D .* TLS handshake error: tls: first record/);
});
