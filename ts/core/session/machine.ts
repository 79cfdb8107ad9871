// One client connection, decided: greeting, CONNECT, authentication, pings, errors and the end, as a pure machine.
// It is told events and answers with actions in the order they must happen; it holds no clock, no timer, no socket.
// Kept true: after a `close` action every further event is answered with nothing, and at most one CONNECT is being judged.
import { quoteText } from '../../lib/go-quote.ts';
import { restrictsSubscribe } from '../auth/permissions.ts';
import { defaultConnect, parseConnect } from './connect.ts';
import type { ConnectOptions } from './connect.ts';
import { closesWith, errorText } from './errors.ts';
import type { WireError } from './errors.ts';
import { infoLine } from './info.ts';
import type { ServerInfo } from './info.ts';
import { PingSchedule } from './pings.ts';
import { authProblem, problemText, tlsProblemLevel } from './problems.ts';
import type { CloseReason } from './reasons.ts';
import type { Admission, BindSpec, SessionAction, SessionEvent, SessionSettings } from './session-types.ts';

export interface SessionPeer {
  readonly clientId: number;
  /** Empty: not known yet. */
  readonly clientIp: string;
  readonly nonce: string;
}

type Event<K extends SessionEvent['kind']> = Extract<SessionEvent, { kind: K }>;

/** The log names the client, not the text it is sent. */
const authErrors: readonly WireError[] = ['authorization', 'beforeConnect', 'proxyRequired', 'proxyNotTrusted'];

export class SessionMachine {
  /** The last CONNECT taken, or the defaults before one came. */
  connect: ConnectOptions = defaultConnect;
  admission: Admission | undefined = undefined;
  readonly pings: PingSchedule;
  #peer: SessionPeer;
  readonly #info: () => ServerInfo;
  readonly #settings: () => SessionSettings;
  #connected = false;
  #judging = false;
  #closed = false;
  /** Let in before it said CONNECT, so not asked for credentials. */
  #guest = false;
  #informed = false;
  #startsTls = false;
  #out: SessionAction[] = [];

  /** `jitter`, 0..1, spreads the first pings of clients that connect together. */
  constructor(peer: SessionPeer, info: () => ServerInfo, settings: () => SessionSettings, jitter: number) {
    this.#peer = peer;
    this.#info = info;
    this.#settings = settings;
    this.pings = new PingSchedule(jitter);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A good CONNECT has been taken. */
  get connected(): boolean {
    return this.#connected;
  }

  /** A CONNECT waits for its authentication. */
  get judging(): boolean {
    return this.#judging && !this.#closed;
  }

  /** INFO may be sent at any time: the client can read it, and has been told the first. */
  get takesInfo(): boolean {
    return this.connect.protocol >= 1 && this.#informed;
  }

  step(event: SessionEvent): SessionAction[] {
    if (this.#closed) return [];
    this.#take(event);
    const actions = this.#out;
    this.#out = [];
    return actions;
  }

  #take(event: SessionEvent): void {
    switch (event.kind) {
      case 'opened':
        return this.#opened(event);
      case 'introduced':
        this.#peer = { ...this.#peer, clientIp: event.clientIp };
        return this.#begin();
      case 'notIntroduced':
        return this.#close('protocolViolation');
      case 'tlsDone':
        this.#log('debug', event.agreed === undefined ? 'No TLS handshake, plain connection' : 'TLS handshake complete');
        if (event.agreed !== undefined) this.#log('debug', event.agreed);
        return this.#startTimers();
      case 'tlsFailed':
        this.#log(tlsProblemLevel(event.problem), `TLS handshake error: ${event.problem}`);
        return this.#close('tlsHandshake');
      case 'connect':
        return this.#connectLine(event.json);
      case 'admitted':
        return this.#admitted(event.admission);
      case 'notAdmitted':
        return this.#notAdmitted(event.error);
      case 'ping':
        return this.#ping();
      case 'pong':
        return this.pings.answered(event.nowMs);
      case 'timer':
        return this.#timer(event);
      case 'kernelError':
        return this.#refuse(event.error, event.detail);
      case 'subscribeDenied':
        return this.#subscribeDenied(event);
      case 'infoChanged':
        return this.takesInfo ? this.#sendInfo(false) : undefined;
      case 'sentAway':
        return this.takesInfo ? this.#sendInfo(false, true) : undefined;
      case 'readmitted':
        this.admission = event.admission;
        return this.#bind();
      case 'settingsChanged':
        return this.#bind();
      case 'end':
        return this.#end(event);
    }
  }

  #opened(event: Event<'opened'>): void {
    this.#log('debug', 'Client connection created');
    this.admission = event.admission;
    this.#guest = event.admission !== undefined;
    this.#bind();
    this.#out.push({ do: 'send', text: infoLine(this.#info(), this.#peer, !this.#guest) });
    if (!event.room) return this.#refuse('maxConnections', '');
    this.#startsTls = event.startTls;
    if (!event.introduces) return this.#begin();
    this.#out.push({ do: 'introduce' });
  }

  #begin(): void {
    if (!this.#startsTls) return this.#startTimers();
    this.#log('debug', 'Starting TLS client connection handshake');
    this.#out.push({ do: 'startTls' });
  }

  #startTimers(): void {
    const { authTimeoutMs, pingIntervalMs } = this.#settings();
    if (authTimeoutMs !== undefined) this.#out.push({ do: 'timer', timer: 'auth', delayMs: authTimeoutMs });
    this.#out.push({ do: 'timer', timer: 'ping', delayMs: pingIntervalMs });
  }

  #connectLine(json: string): void {
    if (this.#judging) return;
    this.#out.push({ do: 'timer', timer: 'auth', delayMs: undefined });
    const result = parseConnect(json, this.connect);
    if (!result.ok) return this.#refuse('badConnect', result.problem);
    if (this.#connected) this.#out.push({ do: 'dropSubscriptions' });
    this.connect = result.connect;
    this.#judging = true;
    if (result.connect.account !== '' || result.connect.newAccount) return this.#notAdmitted('authorization');
    this.#out.push({ do: 'authenticate', connect: result.connect });
  }

  #admitted(admission: Admission): void {
    this.#judging = false;
    this.admission = admission;
    const { protocol, noResponders, headers, verbose } = this.connect;
    if (protocol < 0 || protocol > 1) return this.#refuse('badClientProtocol', '');
    if (noResponders && !(headers && this.#settings().headers)) return this.#refuse('noRespondersRequiresHeaders', '');
    const first = !this.#connected;
    this.#connected = true;
    this.#bind();
    if (verbose) this.#out.push({ do: 'send', text: '+OK\r\n' });
    if (first) this.#out.push({ do: 'timer', timer: 'ping', delayMs: this.pings.firstMs(this.#settings().pingIntervalMs) });
  }

  #notAdmitted(error: WireError): void {
    this.#judging = false;
    this.#refuse(error, '');
  }

  #bind(): void {
    const { connect, admission } = this;
    const settings = this.#settings();
    const permissions = admission?.granted.permissions;
    const spec: BindSpec = {
      account: admission?.granted.account ?? '$G',
      verbose: connect.verbose,
      pedantic: connect.pedantic,
      echo: connect.echo,
      headers: connect.headers && settings.headers,
      noResponders: connect.noResponders,
      maxPayload: admission?.maxPayload ?? this.#info().maxPayload,
      maxSubs: admission?.maxSubs ?? 0,
      maxSubTokens: settings.maxSubTokens,
      permissions,
      authorized: admission !== undefined,
      connected: this.#connected,
      judgeSubscribes: restrictsSubscribe(permissions),
      isSystem: admission?.isSystem ?? false,
    };
    this.#out.push({ do: 'bind', spec });
  }

  #ping(): void {
    this.#out.push({ do: 'send', text: 'PONG\r\n' });
    if (!this.#connected) return;
    if (this.connect.protocol >= 1 && !this.#informed) this.#sendInfo(true);
    this.#informed = true;
    this.#out.push({ do: 'answerPings' });
  }

  /** Any INFO but the greeting; the nonce was for CONNECT and is not said again. */
  #sendInfo(whoYouAre: boolean, lameDuck = this.#info().lameDuck): void {
    const { admission } = this;
    const remote = whoYouAre && admission && { account: admission.granted.account, isSystem: admission.isSystem };
    const about = { ...this.#peer, nonce: '', ...(admission && { maxPayload: admission.maxPayload }), ...(remote && { remote }) };
    this.#out.push({ do: 'send', text: infoLine({ ...this.#info(), lameDuck }, about) });
  }

  #timer(event: Event<'timer'>): void {
    if (event.timer === 'auth') return this.#authTimer(event);
    const { pingIntervalMs, pingMax } = this.#settings();
    this.#log('debug', 'Client Ping Timer');
    const due = this.pings.due(event.nowMs, event.lastInputMs, pingIntervalMs, pingMax);
    if (due === 'stale') {
      this.#log('debug', 'Stale Client Connection - Closing');
      return this.#refuse('staleConnection', '');
    }
    if (due === 'ping') this.#out.push({ do: 'send', text: 'PING\r\n' });
    this.#out.push({ do: 'timer', timer: 'ping', delayMs: pingIntervalMs });
  }

  #authTimer(event: Event<'timer'>): void {
    if (this.#connected || this.#judging) return;
    // Under a no_auth_user a client may speak without CONNECT: it is late only when it never said anything.
    if (this.admission !== undefined && event.lastInputMs > 0) return;
    this.#refuse('authTimeout', '');
  }

  #subscribeDenied(event: Event<'subscribeDenied'>): void {
    const queue = event.queue === '' ? '' : ` using queue ${quoteText(event.queue)}`;
    const sid = event.removed ? ` (sid ${quoteText(event.sid)})` : '';
    this.#out.push({
      do: 'send',
      text: `-ERR '${errorText('subscribeDenied', `${quoteText(event.subject)}${queue}${sid}`)}'\r\n`,
    });
    const queueLog = event.queue === '' ? '' : `Queue: ${quoteText(event.queue)}, `;
    this.#log('error', `Subscription Violation - Subject ${quoteText(event.subject)}, ${queueLog}SID ${event.sid}`);
  }

  #end(event: Event<'end'>): void {
    if (event.error === undefined) return this.#close(event.reason);
    this.#refuse(event.error, '');
    if (!this.#closed) this.#close(event.reason);
  }

  #refuse(error: WireError, detail: string): void {
    const text = errorText(error, detail);
    const problem = authErrors.includes(error) ? authProblem(this.connect) : problemText(error, detail);
    if (problem !== undefined) this.#log(error === 'authTimeout' ? 'debug' : 'error', problem);
    if (text !== undefined) this.#out.push({ do: 'send', text: `-ERR '${text}'\r\n` });
    const reason = closesWith(error);
    if (reason !== undefined) this.#close(reason);
  }

  #log(level: 'debug' | 'error', text: string): void {
    this.#out.push({ do: 'log', level, text });
  }

  #close(reason: CloseReason): void {
    this.#closed = true;
    this.#out.push({ do: 'timer', timer: 'auth', delayMs: undefined });
    this.#out.push({ do: 'timer', timer: 'ping', delayMs: undefined });
    this.#out.push({ do: 'close', reason });
  }
}
