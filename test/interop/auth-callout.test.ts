/** Auth callout: a service, itself a client, decides who comes in, as what, and where; in plain and encrypted, with operators and without. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAccount, createCurve, type KeyPair } from '@nats-io/nkeys';
import {
  connect,
  credsAuthenticator,
  jwtAuthenticator,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { serverFor, type ServerProcess } from '../support/server.ts';
import { TestAccount, TestOperator, credsFile, jwt } from '../support/tokens.ts';
import { targets } from './servers.ts';

interface Request {
  readonly sub: string;
  readonly aud: string;
  readonly iss: string;
  readonly nats: {
    readonly user_nkey: string;
    readonly server_id: { readonly id: string; readonly name: string; readonly xkey?: string };
    readonly client_info: Readonly<Record<string, unknown>>;
    readonly connect_opts: { readonly user?: string; readonly pass?: string; readonly jwt?: string; readonly protocol: number };
  };
}

type Members = Record<string, unknown>;

const payloadOf = (token: string): Request =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Request;

/** A response with these members, about the request's user. */
function response(issuer: KeyPair, request: Request, nats: Members): string {
  const { user_nkey: sub, server_id } = request.nats;
  return jwt(issuer, { sub, aud: server_id.id, nats: { ...nats, type: 'authorization_response', version: 2 } });
}

function userToken(issuer: KeyPair, request: Request, top: Members, nats: Members = {}): string {
  const claim = { subs: -1, data: -1, payload: -1, ...nats, type: 'user', version: 2 };
  return jwt(issuer, { sub: request.nats.user_nkey, ...top, nats: claim });
}

/** Serves with a client that is on the list of auth users. */
async function serve(connection: NatsConnection, answer: (message: Msg) => Uint8Array | string): Promise<void> {
  connection.subscribe('$SYS.REQ.USER.AUTH', { callback: (_error, message) => void message.respond(answer(message)) });
  await connection.flush();
}

async function refusal(attempt: Promise<NatsConnection>): Promise<string> {
  try {
    await (await attempt).close();
    return 'came in';
  } catch (error) {
    return String(error);
  }
}

function enter(server: ServerProcess, options: NodeConnectionOptions): Promise<NatsConnection> {
  return connect({ servers: server.url, reconnect: false, ...options });
}

function configured(issuer: KeyPair, more = ''): string {
  return `
    accounts {
      AUTH { users: [ { user: auth, password: secret } ] }
      APP {}
      OPEN { users: [ { user: open, password: open } ] }
    }
    authorization {
      timeout: 1
      auth_callout { issuer: ${issuer.getPublicKey()}, account: AUTH, auth_users: [ auth ] ${more} }
    }`;
}

for (const { kind, skip } of targets) {
  describe(`auth callout at ${kind}`, { skip }, () => {
    test('the service sees who asks, and says who it is, where and what it may', async (context) => {
      const issuer = createAccount();
      const server = await serverFor(context, kind, { config: configured(issuer) });
      const service = await enter(server, { user: 'auth', pass: 'secret' });
      const seen: Request[] = [];
      await serve(service, (message) => {
        const request = payloadOf(message.string());
        seen.push(request);
        const { user, pass } = request.nats.connect_opts;
        if (user !== 'ann' || pass !== 'pw') return response(issuer, request, { error: 'not you' });
        const token = userToken(issuer, request, { name: 'Ann', aud: 'APP' }, { pub: { deny: ['no'] } });
        return response(issuer, request, { jwt: token });
      });
      const connection = await enter(server, { user: 'ann', pass: 'pw', name: 'mine' });
      const [request] = seen;
      assert.ok(request);
      assert.deepEqual([request.sub, request.aud], [issuer.getPublicKey(), 'nats-authorization-request']);
      assert.equal(request.iss, request.nats.server_id.id);
      assert.match(request.nats.user_nkey, /^U/);
      const { client_info: info, connect_opts: given } = request.nats;
      assert.deepEqual(
        [info['host'], info['user'], info['name'], info['kind'], info['type']],
        ['127.0.0.1', 'ann', 'mine', 'Client', 'nats'],
      );
      assert.deepEqual([given.user, given.pass, given.protocol], ['ann', 'pw', 1]);
      const about = await connection.request('$SYS.REQ.USER.INFO', '', { timeout: patienceMs });
      const data = about.json<{ data: { user: string; account: string; permissions: Members } }>().data;
      assert.deepEqual([data.user, data.account], ['Ann', 'APP']);
      assert.deepEqual(data.permissions['publish'], { deny: ['no'] });
      await connection.close();
      assert.match(await refusal(enter(server, { user: 'bob', pass: 'pw' })), /Authorization Violation/i);
      assert.match(await refusal(enter(server, {})), /Authorization Violation/i);
      await service.close();
    });

    test('an answer that is not for this user, this server, or by another issuer lets nobody in', async (context) => {
      const issuer = createAccount();
      const server = await serverFor(context, kind, { config: configured(issuer) });
      const service = await enter(server, { user: 'auth', pass: 'secret' });
      const answers: Readonly<Record<string, (request: Request) => string>> = {
        nothing: () => '',
        garbage: () => 'garbage',
        stranger: (request) => response(issuer, request, { jwt: userToken(createAccount(), request, { aud: 'APP' }) }),
        elsewhere: (request) => response(issuer, request, { jwt: userToken(issuer, request, { aud: 'NONE' }) }),
        'other-user': (request) => {
          const { user_nkey: _, ...nats } = request.nats;
          const other = { ...request, nats: { ...nats, user_nkey: new TestAccount(new TestOperator(), 'X').user().key } };
          return response(issuer, other, { jwt: userToken(issuer, request, { aud: 'APP' }) });
        },
        'other-server': (request) => {
          const server_id = { ...request.nats.server_id, id: 'NBLA6WE4UFNDYZGTMCDOVGGJ6IFIMVWEW5XHWYZ5JGN6UJ46DN5WCFNT' };
          const other = { ...request, nats: { ...request.nats, server_id } };
          return response(issuer, other, { jwt: userToken(issuer, request, { aud: 'APP' }) });
        },
        expired: (request) => response(issuer, request, { jwt: userToken(issuer, request, { aud: 'APP', exp: 1 }) }),
        good: (request) => response(issuer, request, { jwt: userToken(issuer, request, { aud: 'APP' }) }),
      };
      await serve(service, (message) => {
        const request = payloadOf(message.string());
        return answers[request.nats.connect_opts.user ?? '']?.(request) ?? '';
      });
      for (const user of Object.keys(answers)) {
        const outcome = await refusal(enter(server, { user, pass: 'x' }));
        if (user === 'good') assert.equal(outcome, 'came in');
        else assert.match(outcome, /Authorization Violation/i, user);
      }
      await service.close();
    });

    test('where nobody answers, nobody comes in, but those on the list', async (context) => {
      const server = await serverFor(context, kind, { config: configured(createAccount()) });
      assert.match(
        await refusal(enter(server, { user: 'open', pass: 'open' })),
        /Authorization Violation|Authentication Timeout/i,
      );
      assert.equal(await refusal(enter(server, { user: 'auth', pass: 'secret' })), 'came in');
      assert.match(await refusal(enter(server, { user: 'auth', pass: 'wrong' })), /Authorization Violation/i);
    });

    test('accounts that are not named keep their own users', async (context) => {
      const config = configured(createAccount(), ', allowed_accounts: [ APP ]');
      const server = await serverFor(context, kind, { config });
      assert.equal(await refusal(enter(server, { user: 'open', pass: 'open' })), 'came in');
    });

    test('clients of its account cannot ask in the server’s place', async (context) => {
      const server = await serverFor(context, kind, { config: configured(createAccount()) });
      const service = await enter(server, { user: 'auth', pass: 'secret' });
      const errors = (async () => {
        for await (const status of service.status()) if (status.type === 'error') return status.error.message;
        return 'none';
      })();
      service.publish('$SYS.REQ.USER.AUTH', 'x');
      assert.match(await errors, /Permissions Violation for Publish to "\$SYS\.REQ\.USER\.AUTH"/);
      await service.close();
    });

    test('encrypted both ways', async (context) => {
      const issuer = createAccount();
      const curve = createCurve();
      const config = configured(issuer, `, xkey: ${curve.getPublicKey()}`);
      const server = await serverFor(context, kind, { config });
      const service = await enter(server, { user: 'auth', pass: 'secret' });
      await serve(service, (message) => {
        const from = message.headers?.get('Nats-Server-Xkey') ?? '';
        const opened = curve.open(message.data, from);
        assert.ok(opened);
        const request = payloadOf(Buffer.from(opened).toString());
        assert.equal(request.nats.server_id.xkey, from);
        const answer = response(issuer, request, { jwt: userToken(issuer, request, { aud: 'APP' }) });
        const isPlain = request.nats.connect_opts.user === 'plain';
        const isWrong = request.nats.connect_opts.user === 'wrong';
        if (isPlain) return answer;
        return (isWrong ? createCurve() : curve).seal(Buffer.from(answer), from);
      });
      assert.equal(await refusal(enter(server, { user: 'sealed', pass: 'x' })), 'came in');
      assert.equal(await refusal(enter(server, { user: 'plain', pass: 'x' })), 'came in');
      assert.match(await refusal(enter(server, { user: 'wrong', pass: 'x' })), /Authorization Violation/i);
      await service.close();
    });

    test('with operators: a sentinel is asked about, and let into an account that is allowed', async (context) => {
      const operator = new TestOperator();
      const [system, auth, app, other] = ['SYS', 'AUTH', 'APP', 'OTHER'].map((name) => new TestAccount(operator, name));
      assert.ok(system && auth && app && other);
      const own = auth.user();
      const curve = createCurve();
      const authorization = { auth_users: [own.key], allowed_accounts: [app.key], xkey: curve.getPublicKey() };
      const accounts = [
        [system, system.jwt()],
        [auth, auth.jwt({ authorization })],
        [app, app.jwt()],
        [other, other.jwt()],
      ] as const;
      const preload = accounts.map(([account, token]) => `${account.key}: ${token}`).join('\n');
      const config = `operator: ${operator.jwt({ system_account: system.key })}
        resolver: MEMORY
        resolver_preload: {\n${preload}\n}`;
      const server = await serverFor(context, kind, { config });
      const authenticator = credsAuthenticator(new TextEncoder().encode(credsFile(own)));
      const service = await enter(server, { authenticator });
      await serve(service, (message) => {
        const from = message.headers?.get('Nats-Server-Xkey') ?? '';
        const request = payloadOf(Buffer.from(curve.open(message.data, from) ?? []).toString());
        assert.match(request.nats.connect_opts.jwt ?? '', /^eyJ/);
        const target = request.nats.client_info['name'] === 'other' ? other : app;
        const answer = response(auth.keys, request, { jwt: userToken(target.keys, request, { name: 'guest' }) });
        return curve.seal(Buffer.from(answer), from);
      });
      const sentinel = auth.user({ bearer_token: true });
      const asked = (name: string): Promise<NatsConnection> =>
        enter(server, { name, authenticator: jwtAuthenticator(sentinel.jwt) });
      const connection = await asked('app');
      const about = await connection.request('$SYS.REQ.USER.INFO', '', { timeout: patienceMs });
      assert.equal(about.json<{ data: { account: string } }>().data.account, app.key);
      await connection.close();
      assert.match(await refusal(asked('other')), /Authorization Violation/i);
      await service.close();
    });
  });
}
