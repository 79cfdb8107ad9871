// Opening listeners from options: which are asked for, in which order, what the log and the sessions are told, and how it fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultTls } from '../../../../ts/core/config/options-default.ts';
import { defaultOptions } from '../../../../ts/core/config/options.ts';
import type { Options, WebsocketOptions } from '../../../../ts/core/config/options.ts';
import { LameDuck } from '../../../../ts/engine/listen/lame-duck.ts';
import { LeafnodeGreeter, refusal } from '../../../../ts/engine/listen/leafnodes.ts';
import { ListenError } from '../../../../ts/engine/listen/listen-error.ts';
import { OpenListeners } from '../../../../ts/engine/listen/listeners.ts';
import type { ServerIdentity } from '../../../../ts/engine/session/server-info.ts';
import type { Sessions } from '../../../../ts/engine/session/sessions.ts';
import type { Acceptor, Transport } from '../../../../ts/ports/connection.ts';
import type { Listeners, TlsListening, WebSocketListenOptions } from '../../../../ts/ports/listen.ts';
import type { Log } from '../../../../ts/ports/log.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const identity: ServerIdentity = {
  serverId: 'NID',
  serverName: 'me',
  version: '2.14.5',
  gitCommit: '',
  go: 'node',
  xkey: '',
  apiLevel: 4,
};
const acceptor: Acceptor = { accept: () => assert.fail('nobody connects here') };

const websocket: WebsocketOptions = {
  ...{
    host: '127.0.0.1',
    port: -1,
    advertise: '',
    noTls: true,
    sameOrigin: false,
    allowedOrigins: [],
    compression: true,
    handshakeTimeoutMs: 0,
  },
  ...{ noAuthUser: '', jwtCookie: 'j', userCookie: '', passCookie: '', tokenCookie: 't', headers: {}, pingIntervalMs: undefined },
};

class Bench {
  readonly clock = new VirtualClock();
  readonly lines: string[] = [];
  /** What was opened, closed and told, in order. */
  readonly events: string[] = [];
  readonly options: Options;
  readonly sessions: Sessions;
  readonly opened: OpenListeners;
  webSocketOptions: WebSocketListenOptions | undefined;
  failing: string | undefined;
  clients: number[] = [];
  readonly #log: Log;

  constructor(change: Partial<Options> = {}) {
    this.options = { ...defaultOptions(), host: '127.0.0.1', port: -1, ...change };
    const note = (text: string): void => void this.lines.push(text);
    this.#log = { debugOn: false, traceOn: false, fatal: note, error: note, warn: note, info: note, debug: note, trace: note };
    this.sessions = {
      listen: (ports: object) => this.events.push(JSON.stringify(ports)),
      enterLameDuck: () => this.events.push('lame duck'),
      cids: () => this.clients,
      end: (cid: number, reason: string) => this.events.push(`end ${cid} ${reason} at ${this.clock.monotonicMs()}`),
    } as unknown as Sessions;
    Object.defineProperty(this.sessions, 'size', { get: () => this.clients.length });
    const { clock, sessions } = this;
    const inbound = new Uint8Array(1_024);
    this.opened = new OpenListeners({
      listeners: this.#listeners(),
      acceptor,
      inbound,
      identity,
      sessions,
      clock,
      log: this.#log,
      status: { judge: () => Promise.resolve(undefined), staple: () => undefined },
    });
  }

  #open(name: string, host: string, port: number): Promise<TlsListening> {
    if (this.failing === name) return Promise.reject(Object.assign(new Error('in use'), { code: 'EADDRINUSE' }));
    this.events.push(`open ${name}`);
    const close = (): Promise<void> => {
      this.events.push(`close ${name}`);
      return Promise.resolve();
    };
    const reloadTls = (): void => void this.events.push(`reload ${name}`);
    return Promise.resolve({ host, port: port <= 0 ? 4_999 : port, close, reloadTls, certificateNotAfterMs: 7 });
  }

  #listeners(): Listeners {
    return {
      tcp: ({ host, port }, given) => this.#open(given instanceof LeafnodeGreeter ? 'leafnodes' : 'client', host, port),
      tls: ({ host, port }) => this.#open('tls client', host, port),
      webSocket: (options) => {
        this.webSocketOptions = options;
        return this.#open('websocket', options.host, options.port);
      },
    };
  }

  lameDuck(): LameDuck {
    const { clock, sessions, opened: listeners } = this;
    return new LameDuck({
      clock,
      random: { bytes: () => new Uint8Array(), below: () => 0 },
      log: this.#log,
      sessions,
      listeners,
    });
  }
}

const leafnodes = { host: '127.0.0.1', port: -1, advertise: '' } as unknown as NonNullable<Options['leafnodes']>;

test('all listeners open in order, and say where', async () => {
  const bench = new Bench({ websocket, leafnodes });
  await bench.opened.open(bench.options);
  assert.deepEqual(bench.events, [
    'open websocket',
    '{"webSocketPort":4999}',
    'open leafnodes',
    'open client',
    '{"clientPort":4999}',
  ]);
  assert.deepEqual(bench.lines, [
    'Listening for websocket clients on ws://127.0.0.1:4999',
    'Websocket not configured with TLS. DO NOT USE IN PRODUCTION!',
    'Listening for leafnode connections on 127.0.0.1:4999',
    'Listening for client connections on 127.0.0.1:4999',
  ]);
  assert.deepEqual(bench.webSocketOptions?.cookies, ['j', 't']);
  assert.deepEqual(bench.webSocketOptions.closeStatus('Authentication Failure'), { code: 1008, text: 'Authentication Failure' });
  assert.deepEqual(bench.webSocketOptions.closeStatus('nothing known'), { code: 1011, text: 'nothing known' });
});

test('with TLS the log says for whom, and certificates can be read again', async () => {
  const bench = new Bench({ tls: { ...defaultTls(), handshakeFirst: true } });
  await bench.opened.open(bench.options);
  assert.deepEqual(bench.lines.slice(1), [
    'TLS required for client connections',
    'Clients that are not using "TLS Handshake First" option will fail to connect',
  ]);
  assert.equal(bench.opened.certificateNotAfterMs, 7);
  bench.opened.reload(bench.options);
  assert.equal(bench.events.at(-1), 'reload tls client');
  const optional = new Bench({ tls: defaultTls(), allowNonTls: true });
  await optional.opened.open(optional.options);
  assert.equal(optional.lines.at(-1), 'TLS available for client connections');
});

test('what cannot be opened is told in one line, and nothing stays open', async () => {
  const bench = new Bench({ websocket, leafnodes, port: 4_222 });
  bench.failing = 'client';
  await assert.rejects(bench.opened.open(bench.options), {
    name: 'ListenError',
    message: 'Error listening on port: 127.0.0.1:4222, "listen tcp 127.0.0.1:4222: bind: address already in use"',
  });
  assert.deepEqual(bench.events.slice(-2), ['close websocket', 'close leafnodes']);
});

test('each listener fails in the words operators search for', () => {
  const inUse = Object.assign(new Error('x'), { code: 'EADDRINUSE' });
  const says = (...given: ConstructorParameters<typeof ListenError>): string => new ListenError(...given).message;
  assert.equal(
    says('websocket', '::1', 80, inUse),
    'Unable to listen for websocket connections: listen tcp [::1]:80: bind: address already in use',
  );
  assert.equal(
    says('leafnodes', 'h', 7_422, inUse),
    'Error listening on leafnode port: 7422 - listen tcp h:7422: bind: address already in use',
  );
  assert.equal(says('client', 'h', 1, new Error('open /x: no such file or directory')), 'open /x: no such file or directory');
});

test('the leaf node port greets, refuses by who is there, and closes', () => {
  assert.equal(refusal('CONNECT {"lang":"go"}'), 'attempted to connect to leaf node port');
  assert.equal(refusal('CONNECT {"name":"leaf"}'), 'leafnode connections are not served by this server');
  assert.equal(refusal('PING'), 'Authorization Violation');
  const clock = new VirtualClock();
  const note = (): void => undefined;
  const log: Log = { debugOn: false, traceOn: false, fatal: note, error: note, warn: note, info: note, debug: note, trace: note };
  const greeter = new LeafnodeGreeter({ ...defaultOptions(), leafnodes }, { clock, log, identity });
  greeter.port = 7_422;
  const connect = (): { sent: string[]; send: (text: string) => void; ended: () => boolean } => {
    const sent: string[] = [];
    let ended = false;
    const transport = {
      ...{ kind: 'tcp', remoteAddress: '192.0.2.1', remotePort: 1, localAddress: '', localPort: 0 },
      write: (views: readonly Uint8Array[]) => sent.push(...views.map((view) => new TextDecoder().decode(view))) > 0,
      end: () => {
        ended = true;
      },
    } as unknown as Transport;
    const sink = greeter.accept(transport);
    const send = (text: string): void => {
      greeter.inbound.set(new TextEncoder().encode(text));
      sink.onBytes(text.length);
    };
    return { sent, send, ended: () => ended };
  };
  const leaf = connect();
  assert.match(leaf.sent[0] ?? '', /^INFO \{"server_id":"NID",.*"port":7422,.*"leafnode_urls":\["127\.0\.0\.1:7422"\]\} \r\n$/);
  leaf.send('CONNECT {"na');
  assert.equal(leaf.ended(), false);
  leaf.send('me":"x"}\r\nPING\r\n');
  assert.deepEqual(
    [leaf.sent[1], leaf.sent.length, leaf.ended()],
    ["-ERR 'leafnode connections are not served by this server'\r\n", 2, true],
  );
  const silent = connect();
  clock.advance(2_000);
  assert.deepEqual([silent.sent[1], silent.ended()], ["-ERR 'Authentication Timeout'\r\n", true]);
});

test('a lame duck takes nobody new, waits, then closes clients one by one', async () => {
  const bench = new Bench({ lameDuckDurationMs: 40_000, lameDuckGracePeriodMs: 10_000 });
  await bench.opened.open(bench.options);
  bench.clients = [3, 4, 5];
  const done = bench.lameDuck().start(bench.options);
  const passes = async (ms: number): Promise<void> => {
    await new Promise(setImmediate);
    bench.clock.advance(ms);
    await new Promise(setImmediate);
  };
  await passes(9_999);
  assert.deepEqual(bench.events.slice(2), ['close client', 'lame duck']);
  await passes(1);
  await passes(500);
  await passes(500);
  await done;
  assert.deepEqual(bench.events.slice(4), [
    'end 3 serverShutdown at 10000',
    'end 4 serverShutdown at 10500',
    'end 5 serverShutdown at 11000',
  ]);
  assert.deepEqual(bench.lines.slice(1), ['Entering lame duck mode, stop accepting new clients', 'Closing existing clients']);
});

for (const [where, passedMs] of [
  ['in its grace period', 0],
  ['between two clients', 10_000],
] as const)
  test(`a lame duck that is cut short ${where} waits no longer and closes nobody more`, async () => {
    const bench = new Bench({ lameDuckDurationMs: 40_000, lameDuckGracePeriodMs: 10_000 });
    bench.clients = [3, 4, 5];
    const lameDuck = bench.lameDuck();
    const done = lameDuck.start(bench.options);
    await new Promise(setImmediate);
    bench.clock.advance(passedMs);
    await new Promise(setImmediate);
    const before = bench.events.length;
    lameDuck.cutShort();
    await done;
    assert.deepEqual([bench.events.length, bench.clock.waiting], [before, 0]);
  });

test('a lame duck without clients is done at once', async () => {
  const bench = new Bench();
  await bench.lameDuck().start(bench.options);
  assert.deepEqual(bench.events, []);
});
