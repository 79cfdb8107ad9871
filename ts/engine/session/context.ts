// What every session of a server shares: who may come in, the INFO of each listener, limits and timers, and the ports.
// Compiled from the options once, and once more at each reload; sessions ask for it and keep nothing of it.
import type { AccountRegistry, SessionLimits } from '../../core/account/registry.ts';
import { anonymous, grantedTo } from '../../core/auth/decide.ts';
import type { CalloutAnswer, CalloutQuestion } from '../../core/auth/callout.ts';
import type { AuthPorts, Granted } from '../../core/auth/decide.ts';
import type { Permissions } from '../../core/auth/permissions.ts';
import { permissionsOf } from '../../core/jwt/user-claims.ts';
import type { TrustedAccount } from '../../core/auth/signed-user.ts';
import { compileAuth, overrideAuth } from '../../core/auth/table.ts';
import type { AuthTable } from '../../core/auth/table.ts';
import type { ConnectionType, Options } from '../../core/config/options.ts';
import { authTimeoutMs } from '../../core/config/options.ts';
import { bringsNoCredentials, defaultConnect } from '../../core/session/connect.ts';
import type { ConnectOptions } from '../../core/session/connect.ts';
import type { ServerInfo } from '../../core/session/info.ts';
import type { Admission, SessionSettings } from '../../core/session/session-types.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transport } from '../../ports/connection.ts';
import type { Crypto } from '../../ports/crypto.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import { serverInfo, webSocketInfo } from './server-info.ts';
import type { ServerIdentity, ListenPorts } from './server-info.ts';
import type { SessionDriver } from './driver.ts';
import { SessionTimers } from './session-timers.ts';

export interface SessionPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
  /** Runs work that may send as a turn of the broker, so that it is flushed; without it, work just runs. */
  readonly turn?: Turn;
}

export type Turn = (work: () => void) => void;

/** Accounts of operator mode; a promise where one must be fetched. */
export interface AccountLookup {
  lookup(key: string): TrustedAccount | undefined | Promise<TrustedAccount | undefined>;
}

/** Asks a callout's service about a client. */
export interface CalloutAsker {
  ask(question: CalloutQuestion, asker: Asker): Promise<CalloutAnswer>;
}

/** The client that wants to come in. */
export interface Asker {
  readonly cid: number;
  readonly transport: Transport;
  readonly connect: ConnectOptions;
  readonly nonce: string;
}

/** What one listener gives its sessions. */
interface ListenerSide {
  readonly table: AuthTable;
  readonly info: ServerInfo;
  readonly settings: SessionSettings;
}

/** The same, as sessions see it: whatever it is by now. Shared by all of them. */
export interface ListenerView {
  readonly info: () => ServerInfo;
  readonly settings: () => SessionSettings;
}

/** Few different delays are cheaper for a clock than many. */
const JITTER_STEPS = 16;

const encoder = new TextEncoder();

function base64Bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

export class SessionContext {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly accounts: AccountRegistry;
  readonly auth: AuthPorts;
  /** Set where operators are trusted. */
  trust: AccountLookup | undefined;
  callout: CalloutAsker | undefined;
  readonly closed: (session: SessionDriver) => void;
  readonly turn: Turn;
  readonly timers: SessionTimers;
  #options: Options;
  #client: ListenerSide;
  #webSocket: ListenerSide;
  readonly #clientView: ListenerView = { info: () => this.#client.info, settings: () => this.#client.settings };
  readonly #webSocketView: ListenerView = { info: () => this.#webSocket.info, settings: () => this.#webSocket.settings };
  readonly #random: Random;
  #sessions = 0;

  constructor(
    options: Options,
    identity: ServerIdentity,
    ports: SessionPorts,
    accounts: AccountRegistry,
    listening: ListenPorts,
    closed: (session: SessionDriver) => void,
  ) {
    this.clock = ports.clock;
    this.crypto = ports.crypto;
    this.log = ports.log;
    this.#random = ports.random;
    this.accounts = accounts;
    this.closed = closed;
    this.turn = ports.turn ?? ((work) => work());
    this.timers = new SessionTimers(this.clock, this.turn);
    // `Buffer` reads both base64 alphabets, with and without padding.
    this.auth = {
      verify: (nkey, nonce, signature) => ports.crypto.verifyNkey(nkey, encoder.encode(nonce), base64Bytes(signature)),
      tokens: ports.crypto.tokens,
    };
    this.#options = options;
    this.#client = clientSide(options, identity, listening);
    this.#webSocket = webSocketSide(options, identity, listening);
  }

  get options(): Options {
    return this.#options;
  }

  /** Takes new options or a new INFO; sessions see it at their next step. */
  renew(options: Options, identity: ServerIdentity, listening: ListenPorts): void {
    this.#options = options;
    this.#client = clientSide(options, identity, listening);
    this.#webSocket = webSocketSide(options, identity, listening);
  }

  get clientInfo(): ServerInfo {
    return this.#client.info;
  }

  listener(transport: Transport): ListenerView {
    return transport.kind === 'websocket' ? this.#webSocketView : this.#clientView;
  }

  settings(transport: Transport): SessionSettings {
    return this.#side(transport).settings;
  }

  authTable(transport: Transport): AuthTable {
    return this.#side(transport).table;
  }

  needsNonce(transport: Transport): boolean {
    return this.authTable(transport).needsNonce;
  }

  /** 15 characters, 11 random bytes in the URL alphabet. */
  nonce(): string {
    return Buffer.from(this.#random.bytes(11)).toString('base64url');
  }

  /** From 0 to 1: the next step for the next session. */
  jitter(): number {
    return (this.#sessions++ % JITTER_STEPS) / JITTER_STEPS;
  }

  connectionType(transport: Transport): ConnectionType {
    return transport.kind === 'websocket' ? 'WEBSOCKET' : 'STANDARD';
  }

  /** Whom a connection is that has not said CONNECT: anybody, the no_auth_user, or nobody. */
  withoutConnect(transport: Transport): Granted | undefined {
    const table = this.authTable(transport);
    if (!table.required) return anonymous(defaultConnect);
    const stands = table.noAuthUser;
    const isAskedAbout = table.callout !== undefined && !table.callout.authUsers.has(stands?.name ?? '');
    return stands === undefined || stands.proxyRequired || isAskedAbout ? undefined : grantedTo(stands, defaultConnect, false);
  }

  admission(granted: Granted): Admission | undefined {
    if (this.accounts.get(granted.account) === undefined) return undefined;
    const { maxPayload, maxSubscriptions: maxSubs } = this.#options;
    const limits = this.accounts.limits(granted.account, withUser(granted, { maxPayload, maxSubs }));
    return {
      granted,
      isSystem: this.accounts.isSystem(granted.account),
      maxPayload: limits.maxPayload,
      maxSubs: limits.maxSubs,
    };
  }

  /** The permissions of a user whose account has changed. */
  reviewed({ permissions, signed }: Granted, { claims }: TrustedAccount, transport: Transport): Permissions | undefined {
    const compile = this.authTable(transport).operator?.compile;
    return signed?.usesDefaults === true && compile !== undefined
      ? compile(permissionsOf(claims.defaultPermissions))
      : permissions;
  }

  /** WebSocket cookies stand in for what CONNECT left out. */
  withCookies(connect: ConnectOptions, transport: Transport): ConnectOptions {
    const { cookies } = transport;
    const block = this.#options.websocket;
    if (cookies === undefined || block === undefined || !bringsNoCredentials(connect)) return connect;
    return {
      ...connect,
      jwt: connect.jwt || (cookies[block.jwtCookie] ?? ''),
      user: cookies[block.userCookie] ?? '',
      pass: cookies[block.passCookie] ?? '',
      authToken: cookies[block.tokenCookie] ?? '',
    };
  }

  #side(transport: Transport): ListenerSide {
    return transport.kind === 'websocket' ? this.#webSocket : this.#client;
  }
}

/** The server's limits under those of a signed user. */
function withUser({ signed }: Granted, server: SessionLimits): SessionLimits {
  if (signed === undefined) return server;
  return {
    maxPayload: signed.maxPayload < 0 ? server.maxPayload : Math.min(signed.maxPayload, server.maxPayload),
    maxSubs: signed.maxSubs < 0 ? server.maxSubs : Math.min(signed.maxSubs, server.maxSubs || Infinity),
  };
}

function settingsOf(options: Options, required: boolean, timeoutMs: number, pingIntervalMs: number): SessionSettings {
  return {
    authTimeoutMs: required ? timeoutMs : undefined,
    pingIntervalMs,
    pingMax: options.pingMax,
    maxSubTokens: options.maxSubTokens,
    headers: !options.noHeaderSupport,
  };
}

function clientSide(options: Options, identity: ServerIdentity, listening: ListenPorts): ListenerSide {
  const table = compileAuth(options);
  const settings = settingsOf(options, table.required, authTimeoutMs(options), options.pingIntervalMs);
  return { table, info: serverInfo(options, identity, listening, table), settings };
}

function webSocketSide(options: Options, identity: ServerIdentity, listening: ListenPorts): ListenerSide {
  const block = options.websocket;
  if (block === undefined) return clientSide(options, identity, listening);
  const own = block.authorization;
  const table = overrideAuth(compileAuth(options), {
    ...(own && { authorization: own }),
    noAuthUser: block.noAuthUser,
    mapCertificate: block.tls?.verifyAndMap ?? false,
  });
  const timeoutMs = own?.timeoutMs ?? authTimeoutMs(options);
  const settings = settingsOf(options, table.required, timeoutMs, block.pingIntervalMs ?? options.pingIntervalMs);
  return { table, info: webSocketInfo(options, identity, listening, table), settings };
}
