// One session at work: feeds the machine with events from the broker, the timers and the authentication, and does what it answers.
// Kept true: actions happen in the order the machine gave them; nothing is done for a session after its connection is gone.
import { decide, isStillListed } from '../../core/auth/decide.ts';
import type { AuthDecision, Granted, Refused } from '../../core/auth/decide.ts';
import { reviewUser } from '../../core/auth/operator.ts';
import type { Review } from '../../core/auth/operator.ts';
import type { TrustedAccount } from '../../core/auth/signed-user.ts';
import { judgeSubscribe } from '../../core/auth/judge.ts';
import type { ConnectOptions } from '../../core/session/connect.ts';
import type { WireError } from '../../core/session/errors.ts';
import { replyTrace } from '../../core/protocol/trace.ts';
import { SessionMachine } from '../../core/session/machine.ts';
import type { CloseReason } from '../../core/session/reasons.ts';
import { closeReasons } from '../../core/session/reasons.ts';
import type { Admission, SessionAction, SessionEvent, TimerName } from '../../core/session/session-types.ts';
import { tokens } from '../../core/subject/subject.ts';
import { hostPort } from '../../lib/address.ts';
import type { Timer } from '../../ports/clock.ts';
import { connectionLabel } from './label.ts';
import type { Session, SessionFacts, SessionHost, SubscribeVerdict } from './session.ts';
import type { SessionContext } from './context.ts';
import { LiveFacts } from './facts.ts';
import type { TimedSession } from './session-timers.ts';
import { messageOf } from '../../lib/message-of.ts';

/** How a connection ends whose user may not stay. */
const reviews: Readonly<Record<Exclude<Review, 'stays'>, { readonly reason: CloseReason; readonly error?: WireError }>> = {
  accountExpired: { reason: 'authExpired', error: 'accountExpired' },
  revoked: { reason: 'revocation', error: 'userRevoked' },
  refused: { reason: 'authFailure', error: 'authorization' },
  gone: { reason: 'authFailure' },
  exhausted: { reason: 'maxSubscriptions', error: 'noSubscriptions' },
};

export class SessionDriver implements Session, TimedSession {
  readonly host: SessionHost;
  readonly machine: SessionMachine;
  readonly nonce: string;
  readonly #context: SessionContext;
  /** Whether there was room for one more connection. */
  readonly #room: boolean;
  readonly #timers: Record<TimerName, Timer | undefined> = { auth: undefined, ping: undefined };
  /** Made when somebody asks. */
  #facts: SessionFacts | undefined;
  /** The account this connection is counted in. */
  #joined: string | undefined;
  #expiry: Timer | undefined;
  #gone = false;
  #openedAtMs = 0;
  /** From accept to the first CONNECT: a first estimate of the round trip. */
  #connectedAfterMs: number | undefined;

  constructor(host: SessionHost, context: SessionContext, nonce: string, room: boolean) {
    this.host = host;
    this.#room = room;
    this.nonce = nonce;
    this.#context = context;
    const clientIp = host.transport.introduce === undefined ? host.transport.remoteAddress : '';
    const peer = { clientId: host.cid, clientIp, nonce };
    const { info, settings } = context.listener(host.transport);
    this.machine = new SessionMachine(peer, info, settings, context.jitter());
  }

  get facts(): SessionFacts {
    this.#facts ??= new LiveFacts(this.machine, {
      label: () => connectionLabel(this.host.cid, this.host.transport, this.machine),
      connectedAfterMs: () => this.#connectedAfterMs,
    });
    return this.#facts;
  }

  begin(): void {
    const room = this.#room;
    this.#openedAtMs = this.#context.clock.monotonicMs();
    const { transport } = this.host;
    const admission = room ? this.#admissionWithoutConnect() : undefined;
    const [startTls, introduces] = [transport.startTls !== undefined, transport.introduce !== undefined];
    this.step({ kind: 'opened', room, startTls, introduces, admission });
  }

  onConnect(json: string): 'decided' | 'pending' {
    this.#connectedAfterMs ??= this.#context.clock.monotonicMs() - this.#openedAtMs;
    this.step({ kind: 'connect', json });
    return this.machine.judging ? 'pending' : 'decided';
  }

  onPing(): void {
    this.step({ kind: 'ping' });
  }

  onPong(): void {
    this.step({ kind: 'pong', nowMs: this.#context.clock.monotonicMs() });
  }

  onError(error: WireError, detail = ''): void {
    this.step({ kind: 'kernelError', error, detail });
  }

  onSubscribe(subject: string, queue: string, sid: string): SubscribeVerdict {
    const { maxSubTokens } = this.#context.settings(this.host.transport);
    if (maxSubTokens > 0 && tokens(subject).length > maxSubTokens) {
      this.step({ kind: 'kernelError', error: 'tooManyTokens', detail: subject });
      return 'denied';
    }
    const verdict = judgeSubscribe(this.machine.admission?.granted.permissions, subject, queue);
    if (verdict === 'denied') this.step({ kind: 'subscribeDenied', subject, queue, sid, removed: false });
    return verdict;
  }

  onClosed(reason: CloseReason): void {
    this.#gone = true;
    this.#setTimer('auth', undefined);
    this.#setTimer('ping', undefined);
    this.#expiry?.cancel();
    this.#leave();
    this.#log('debug', `Client connection closed: ${closeReasons[reason].text}`);
    this.#context.closed(this);
  }

  /** Ends the connection from the server's side. */
  end(reason: CloseReason, error?: WireError): void {
    this.step({ kind: 'end', error, reason });
  }

  step(event: SessionEvent): void {
    if (this.#gone) return;
    const actions = this.machine.step(event);
    for (let i = 0; i < actions.length; i++) this.#do(actions[i] as SessionAction);
  }

  /** Looks again at who this is, after a reload: closes, or takes the new limits and permissions. */
  rejudge(): void {
    const { machine } = this;
    if (!machine.connected) {
      const admission = this.#admissionWithoutConnect();
      if (admission !== undefined) this.step({ kind: 'readmitted', admission });
      // It was let in without CONNECT, which is not enough any more.
      else if (machine.admission !== undefined) this.end('authFailure', 'authorization');
      return;
    }
    const before = machine.admission?.granted;
    // Somebody who no longer exists is closed without a word, as in nats-server.
    const table = this.#context.authTable(this.host.transport);
    if (before !== undefined && !isStillListed(table, before)) return this.end('clientClosed');
    const connect = this.#context.withCookies(machine.connect, this.host.transport);
    // A callout's service is not asked a second time.
    if (before?.signed?.jwt === '') return this.#readmit(before);
    this.#settle(this.#decide(connect), connect, (decision) => this.#rejudged(decision));
  }

  /** Looks again at a signed user whose account has changed; `room`: the account may have that many connections. */
  review(account: TrustedAccount | undefined, room: boolean): void {
    const granted = this.machine.admission?.granted;
    const signed = granted?.signed;
    if (granted === undefined || this.machine.closed) return;
    if (account === undefined || account.expired) return this.end('authExpired', 'accountExpired');
    if (!room) return this.end('maxAccountConnections', 'maxAccountConnections');
    const verdict = signed === undefined ? 'stays' : reviewUser(signed, account);
    if (verdict !== 'stays') {
      const { reason, error } = reviews[verdict];
      return this.end(reason, error);
    }
    this.#readmit({ ...granted, permissions: this.#context.reviewed(granted, account, this.host.transport) });
  }

  #readmit(granted: Granted): void {
    const admission = this.#context.admission(granted);
    if (admission === undefined) return this.end('missingAccount', 'accountRegistration');
    this.step({ kind: 'readmitted', admission });
    for (const { subject, queue, sid } of this.host.subscriptions()) {
      if (judgeSubscribe(granted.permissions, subject, queue) !== 'denied') continue;
      this.step({ kind: 'subscribeDenied', subject, queue, sid, removed: true });
      this.host.unsubscribe(sid);
    }
  }

  #rejudged(decision: Granted | Refused): void {
    if (this.#gone || this.machine.closed) return;
    const before = this.machine.admission;
    if (decision.kind === 'refused' || before === undefined) return this.end('authFailure', 'authorization');
    if (decision.account !== before.granted.account) return this.end('clientClosed');
    this.#readmit(decision);
  }

  #admissionWithoutConnect(): Admission | undefined {
    const granted = this.#context.withoutConnect(this.host.transport);
    if (granted === undefined || !this.#join(granted.account)) return undefined;
    return this.#context.admission(granted);
  }

  #do(action: SessionAction): void {
    switch (action.do) {
      case 'send':
        this.#traceReply(action.text);
        return this.host.send(action.text);
      case 'bind':
        return this.host.bind(action.spec);
      case 'authenticate':
        return this.#authenticate(action.connect);
      case 'dropSubscriptions':
        return this.host.dropSubscriptions();
      case 'answerPings':
        return this.host.answerPings();
      case 'introduce':
        return this.#introduce();
      case 'startTls':
        return this.#startTls();
      case 'timer':
        return this.#setTimer(action.timer, action.delayMs);
      case 'log':
        return this.#log(action.level, action.text);
      case 'close':
        return this.host.close(action.reason);
    }
  }

  #decide(connect: ConnectOptions): AuthDecision {
    const { transport } = this.host;
    const certificate = transport.tls?.peerCertificates[0];
    const request = {
      connect,
      nonce: this.nonce,
      connectionType: this.#context.connectionType(transport),
      certificate,
      clientIp: transport.remoteAddress,
      nowMs: this.#context.clock.wallMs(),
    };
    return decide(this.#context.authTable(transport), request, this.#context.auth);
  }

  #authenticate(sent: ConnectOptions): void {
    const connect = this.#context.withCookies(sent, this.host.transport);
    let waited = false;
    this.#settle(this.#decide(connect), connect, (decision) => {
      this.#decided(decision);
      if (waited && !this.#gone && !this.machine.closed) this.host.proceed();
    });
    waited = this.machine.judging;
  }

  #decided(decision: Granted | Refused): void {
    if (this.#gone || this.machine.closed) return;
    if (decision.kind === 'refused') {
      if (decision.why !== undefined && decision.warns === true) this.#context.log.warn(decision.why);
      else if (decision.why !== undefined) this.#log('debug', decision.why);
      return this.step({ kind: 'notAdmitted', error: decision.error ?? 'authorization' });
    }
    if (!this.#join(decision.account)) {
      const known = this.#context.accounts.get(decision.account) !== undefined;
      return this.step({ kind: 'notAdmitted', error: known ? 'maxAccountConnections' : 'accountRegistration' });
    }
    const { admission: before } = this.machine;
    const admission = before?.granted === decision ? before : this.#context.admission(decision);
    if (admission === undefined) return this.step({ kind: 'notAdmitted', error: 'accountRegistration' });
    this.step({ kind: 'admitted', admission });
    this.#endAt(decision.signed?.endsAtMs);
  }

  /** The user's time is over at some time. */
  #endAt(wallMs: number | undefined): void {
    this.#expiry?.cancel();
    if (wallMs === undefined) return;
    const { clock } = this.#context;
    const expire = (): void => this.end('authExpired', 'userExpired');
    this.#expiry = clock.after(Math.max(0, wallMs - clock.wallMs()), () => this.#context.turn(expire));
  }

  /** Calls back at once, or when the password has been compared, the account fetched, the service asked. */
  #settle(decision: AuthDecision, connect: ConnectOptions, settled: (decision: Granted | Refused) => void): void {
    if (decision.kind === 'granted' || decision.kind === 'refused') return settled(decision);
    const later = <T>(answer: Promise<T>, decided: (answer: T) => AuthDecision): void => {
      answer.then(
        (value) => this.#context.turn(() => this.#settle(decided(value), connect, settled)),
        () => this.#context.turn(() => settled({ kind: 'refused' })),
      );
    };
    if (decision.kind === 'question') {
      return later(this.#context.crypto.compareBcrypt(decision.password, decision.hash), (equal) => decision.decided(equal));
    }
    if (decision.kind === 'callout') {
      const { cid, transport } = this.host;
      const answer = this.#context.callout?.ask(decision, { cid, transport, connect, nonce: this.nonce });
      return later(answer ?? Promise.reject(new Error('nobody can be asked')), (said) => decision.decided(said));
    }
    const account = this.#context.trust?.lookup(decision.account);
    if (account instanceof Promise) return later(account, (found) => decision.decided(found));
    this.#settle(decision.decided(account), connect, settled);
  }

  #introduce(): void {
    const { transport } = this.host;
    transport.introduce?.().then(
      () => this.#context.turn(() => this.step({ kind: 'introduced', clientIp: transport.remoteAddress })),
      (error: unknown) => {
        if (this.#gone || this.machine.closed) return;
        const { address, port } = transport.proxy ?? { address: transport.remoteAddress, port: transport.remotePort };
        const why = messageOf(error);
        this.#context.log.warn(`Error reading PROXY protocol header from ${hostPort(address, port)}: ${why}`);
        this.#context.turn(() => this.step({ kind: 'notIntroduced' }));
      },
    );
  }

  #startTls(): void {
    const started = this.host.transport.startTls?.();
    started?.then(
      (tls) => {
        const agreed = tls && `TLS version ${tls.version}, cipher suite ${tls.cipher}`;
        this.#context.turn(() => this.step({ kind: 'tlsDone', agreed }));
      },
      (error: unknown) => {
        const problem = messageOf(error);
        this.#context.turn(() => this.step({ kind: 'tlsFailed', problem }));
      },
    );
  }

  #setTimer(name: TimerName, delayMs: number | undefined): void {
    this.#timers[name]?.cancel();
    this.#timers[name] = delayMs === undefined ? undefined : this.#context.timers.set(this, name, delayMs);
  }

  timerDue(timer: TimerName): void {
    const spoke = this.host.lastInputMs();
    const lastInputMs = spoke > this.#openedAtMs ? spoke : 0;
    this.step({ kind: 'timer', timer, nowMs: this.#context.clock.monotonicMs(), lastInputMs });
  }

  #join(account: string): boolean {
    if (this.#joined === account) return true;
    this.#leave();
    if (this.#context.accounts.join(account) !== 'ok') return false;
    this.#joined = account;
    return true;
  }

  #leave(): void {
    if (this.#joined !== undefined) this.#context.accounts.leave(this.#joined);
    this.#joined = undefined;
  }

  #traceReply(text: string): void {
    const line = this.#context.log.traceOn ? replyTrace(text) : undefined;
    if (line !== undefined) this.#log('trace', line);
  }

  #log(level: 'debug' | 'error' | 'trace', text: string): void {
    const { log } = this.#context;
    if ((level === 'debug' && !log.debugOn) || (level === 'trace' && !log.traceOn)) return;
    log[level](`${this.facts.label} - ${text}`);
  }
}
