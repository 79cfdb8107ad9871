// Asking a callout's service: a JWT about the client, signed by the server and encrypted where the service has a key for that, is sent as
// a request in the service's account; what comes back is handed to whoever decides.
// Kept true: each question has a reply subject and a user key of its own; what comes late or a second time meets nobody.

import { CALLOUT_SUBJECT } from '../../core/auth/callout.ts';
import type { CalloutAnswer, CalloutQuestion } from '../../core/auth/callout.ts';
import type { Options } from '../../core/config/options.ts';
import { authTimeoutMs } from '../../core/config/options.ts';
import { encodeToken } from '../../core/jwt/token.ts';
import type { TokenPorts } from '../../core/jwt/token.ts';
import type { JsonMembers } from '../../core/jwt/fields.ts';
import { encodeNkey } from '../../lib/nkey.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TransportTls } from '../../ports/connection.ts';
import type { ServerKeys } from '../../ports/crypto.ts';
import type { Random } from '../../ports/random.ts';
import type { Broker } from '../broker/broker.ts';
import type { Asker } from '../session/context.ts';
import type { ServerIdentity } from '../session/server-info.ts';
import { messageOf } from '../../lib/message-of.ts';

export interface CalloutParts {
  readonly broker: Broker;
  readonly identity: ServerIdentity;
  readonly keys: ServerKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly tokens: TokenPorts;
  options(): Options;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const nothing = new Uint8Array(0);
const NKEY_BYTES = 32;
const INBOX_BYTES = 16;
const JWT_PREFIX = 'eyJ';

/** Members without those that say nothing. */
function saying(members: Readonly<Record<string, unknown>>): JsonMembers {
  const isEmpty = (value: unknown): boolean =>
    value === '' || value === undefined || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value)));
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function tlsOf(tls: TransportTls | undefined, verified: boolean): JsonMembers | undefined {
  if (tls === undefined) return undefined;
  const certs = tls.peerCertificates.map(({ der }) => pem(der));
  const chains = verified && certs.length > 0;
  return saying({
    version: tls.version,
    cipher: tls.cipher,
    certs: chains ? [] : certs,
    verified_chains: chains ? [certs] : [],
  });
}

export class CalloutService {
  readonly #parts: CalloutParts;

  constructor(parts: CalloutParts) {
    this.#parts = parts;
  }

  /** Resolves with what the service says, or that it says nothing in time. Does not reject. */
  async ask(question: CalloutQuestion, asker: Asker): Promise<CalloutAnswer> {
    const { random, keys } = this.#parts;
    const userNkey = encodeNkey('user', random.bytes(NKEY_BYTES));
    const request = encoder.encode(this.#token(question, asker, userNkey));
    try {
      const sealed = question.xkey === '' ? request : await keys.seal(request, question.xkey);
      const answer = await this.#exchange(question, sealed);
      return answer === undefined ? { kind: 'late' } : await this.#read(question, answer, userNkey);
    } catch (error) {
      return { kind: 'failed', why: messageOf(error) };
    }
  }

  async #read(question: CalloutQuestion, answer: Uint8Array, userNkey: string): Promise<CalloutAnswer> {
    const { keys, identity, clock } = this.#parts;
    const common = { kind: 'said', userNkey, serverId: identity.serverId, nowMs: clock.wallMs() } as const;
    const plain = decoder.decode(answer);
    if (question.xkey === '' || plain === '' || plain.startsWith(JWT_PREFIX)) return { ...common, text: plain, encrypted: false };
    const opened = await keys.open(answer, question.xkey);
    if (opened !== undefined) return { ...common, text: decoder.decode(opened), encrypted: true };
    return { kind: 'failed', why: `error decrypting auth callout response on account "${question.account}"` };
  }

  /** Undefined: nothing came in time. */
  #exchange(question: CalloutQuestion, request: Uint8Array): Promise<Uint8Array | undefined> {
    const { broker, clock, random, options, identity } = this.#parts;
    const { handle } = broker.accounts.get(question.account);
    const inbox = `$SYS._INBOX.${Buffer.from(random.bytes(INBOX_BYTES)).toString('base64url')}`;
    const headers = question.xkey === '' ? nothing : encoder.encode(`NATS/1.0\r\nNats-Server-Xkey: ${identity.xkey}\r\n\r\n`);
    return new Promise((resolve) => {
      const end = (answer: Uint8Array | undefined): void => {
        timer.cancel();
        subscription.cancel();
        resolve(answer);
      };
      const timer = clock.after(authTimeoutMs(options()), () => end(undefined));
      const subscription = broker.host.subscribe(handle, inbox, '', (message) => end(message.payload));
      broker.turn(() => broker.kernel.publish(handle, CALLOUT_SUBJECT, inbox, headers, request));
    });
  }

  #token(question: CalloutQuestion, asker: Asker, userNkey: string): string {
    const { clock, identity, keys, tokens, options } = this.#parts;
    const nowMs = clock.wallMs();
    const claims = {
      subject: question.about,
      audience: 'nats-authorization-request',
      issuedAt: Math.floor(nowMs / 1000),
      expires: Math.floor((nowMs + authTimeoutMs(options())) / 1000),
      nats: this.#request(question, asker, userNkey),
    };
    return encodeToken(claims, { issuer: identity.serverId, sign: (text) => keys.sign(text) }, tokens);
  }

  #request(question: CalloutQuestion, { cid, transport, connect, nonce }: Asker, userNkey: string): JsonMembers {
    const { identity, options } = this.#parts;
    const { host, cluster, serverTags, tls } = options();
    return saying({
      server_id: {
        name: identity.serverName,
        host,
        id: identity.serverId,
        ...saying({
          version: identity.version,
          cluster: cluster?.name,
          tags: serverTags,
          xkey: question.xkey === '' ? '' : identity.xkey,
        }),
      },
      user_nkey: userNkey,
      client_info: saying({
        host: transport.remoteAddress,
        id: cid,
        user: question.user,
        name: connect.name,
        tags: question.tags,
        name_tag: question.nameTag,
        kind: 'Client',
        type: transport.kind === 'websocket' ? 'websocket' : 'nats',
        nonce: connect.sig === '' ? '' : nonce,
      }),
      connect_opts: {
        ...saying({
          jwt: question.userJwt,
          nkey: connect.nkey,
          sig: connect.sig,
          auth_token: connect.authToken,
          user: connect.user,
          pass: connect.pass,
          name: connect.name,
          lang: connect.lang,
          version: connect.version,
        }),
        protocol: connect.protocol,
      },
      client_tls: tlsOf(transport.tls, tls?.verify === true || tls?.verifyAndMap === true),
      type: 'authorization_request',
    });
  }
}
