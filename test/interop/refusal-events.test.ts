/**
 * What the system account and the accounts themselves are told of clients that are not let in or sent away, for each kind of credentials, on
 * both servers.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createAccount, createUser } from '@nats-io/nkeys';
import { connect, nkeyAuthenticator, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { serverFor, type ServerProcess } from '../support/server.ts';
import { TestAccount, TestOperator } from '../support/tokens.ts';
import { repositoryRoot } from '../support/peers.ts';
import { targets } from './servers.ts';
import { enter } from './signed-clients.ts';

const certificates = join(repositoryRoot, 'test', 'support', 'certs');

interface Event {
  readonly client: { readonly acc: string; readonly user?: string };
  readonly reason: string;
}

/** Events of connections that ended: what is told where, of whom and why. */
class Ears {
  readonly #heard: string[] = [];
  #changed: () => void = () => {};

  constructor(connection: NatsConnection, ...subjects: readonly string[]) {
    for (const subject of subjects) connection.subscribe(subject, { callback: (_error, message) => this.#take(message) });
  }

  #take(message: { readonly subject: string; json<T>(): T }): void {
    if (!/(AUTH\.ERR|\.DISCONNECT)$/.test(message.subject)) return;
    const { client, reason } = message.json<Event>();
    const subject = message.subject.replace(/N[A-Z2-7]{55}/, 'ID');
    this.#heard.push(`${subject}: ${client.acc} ${client.user ?? 'nobody'} ${reason}`);
    this.#changed();
  }

  async next(count: number): Promise<readonly string[]> {
    while (this.#heard.length < count) await new Promise<void>((resolve) => (this.#changed = resolve));
    // nats-server tells of clients that a callout refuses twice.
    return [...new Set(this.#heard.splice(0))].sort();
  }
}

/** Who is not let in is of the global account. */
const told = (user: string): string[] =>
  ['$SYS.ACCOUNT.$G.DISCONNECT', '$SYS.SERVER.ID.CLIENT.AUTH.ERR'].map(
    (subject) => `${subject}: $G ${user} Authentication Failure`,
  );

async function isRefused(attempt: Promise<NatsConnection>): Promise<void> {
  await assert.rejects(attempt, /Authorization Violation/i);
}

const enterWith = (server: ServerProcess, options: NodeConnectionOptions): Promise<NatsConnection> =>
  connect({ servers: server.url, reconnect: false, ...options });

for (const { kind, skip } of targets) {
  describe(`events about refused clients of ${kind}`, { skip }, () => {
    test('passwords, tokens and nkeys that are wrong', async (context) => {
      const nkey = createUser();
      const server = await serverFor(context, kind, {
        config: `
          system_account: SYS
          accounts {
            SYS { users: [ { user: s, password: s } ] }
            A { users: [ { user: a, password: a }, { nkey: ${createUser().getPublicKey()} } ] }
          }`,
      });
      const system = await enterWith(server, { user: 's', pass: 's' });
      const ears = new Ears(system, '$SYS.SERVER.>', '$SYS.ACCOUNT.>');
      await system.flush();
      const attempts: readonly (readonly [string, NodeConnectionOptions])[] = [
        ['a', { user: 'a', pass: 'wrong' }],
        ['[REDACTED]', { token: 'wrong' }],
        [nkey.getPublicKey(), { authenticator: nkeyAuthenticator(nkey.getSeed()) }],
        ['nobody', {}],
      ];
      for (const [user, options] of attempts) {
        await isRefused(enterWith(server, options));
        assert.deepEqual(await ears.next(2), told(user));
      }
      await system.close();
    });

    test('an account hears of those that were refused while they were in it', async (context) => {
      const server = await serverFor(context, kind, { config: 'authorization { users: [ { user: a, password: a } ] }' });
      const client = await enterWith(server, { user: 'a', pass: 'a' });
      const ears = new Ears(client, '$SYS.ACCOUNT.CLIENT.AUTH.ERR');
      await client.flush();
      await isRefused(enterWith(server, { user: 'b', pass: 'b' }));
      assert.deepEqual(await ears.next(1), ['$SYS.ACCOUNT.CLIENT.AUTH.ERR: $G b Authentication Failure']);
      await client.close();
    });

    test('certificates that name nobody', async (context) => {
      const file = (name: string): string => join(certificates, `${name}.pem`);
      const server = await serverFor(context, kind, {
        config: `
          tls { cert_file: "${file('server')}", key_file: "${file('server-key')}", ca_file: "${file('ca')}", verify_and_map: true }
          system_account: SYS
          accounts { SYS { users: [ { user: "carol@example.com" } ] } }`,
      });
      const read = (name: string): string => readFileSync(file(name), 'utf8');
      const tls = (name: string): NodeConnectionOptions => ({
        tls: { ca: read('ca'), cert: read(name), key: read(`${name}-key`) },
      });
      const system = await enterWith(server, tls('client'));
      const ears = new Ears(system, '$SYS.SERVER.>', '$SYS.ACCOUNT.>');
      await system.flush();
      await isRefused(enterWith(server, tls('client-plain')));
      assert.deepEqual(await ears.next(2), told('nobody'));
      await system.close();
    });

    test('clients that a callout does not let in are told of in its account too', async (context) => {
      const server = await serverFor(context, kind, {
        config: `
          system_account: SYS
          accounts { AUTH { users: [ { user: auth, password: auth } ] }, SYS { users: [ { user: s, password: s } ] } }
          authorization {
            timeout: 1
            auth_callout { issuer: ${createAccount().getPublicKey()}, account: AUTH, auth_users: [ auth, s ] }
          }`,
      });
      const system = await enterWith(server, { user: 's', pass: 's' });
      const service = await enterWith(server, { user: 'auth', pass: 'auth' });
      const [ears, own] = [
        new Ears(system, '$SYS.SERVER.>', '$SYS.ACCOUNT.>'),
        new Ears(service, '$SYS.ACCOUNT.CLIENT.AUTH.ERR'),
      ];
      service.subscribe('$SYS.REQ.USER.AUTH', { callback: (_error, message) => void message.respond('no') });
      await Promise.all([system.flush(), service.flush()]);
      await isRefused(enterWith(server, { user: 'x', pass: 'y' }));
      assert.deepEqual(await ears.next(2), told('x'));
      assert.deepEqual(await own.next(1), ['$SYS.ACCOUNT.CLIENT.AUTH.ERR: AUTH x Authentication Failure']);
      await Promise.all([system.close(), service.close()]);
    });

    test('JWTs that are revoked, and clients whose JWTs are revoked or run out', async (context) => {
      const operator = new TestOperator();
      const sys = new TestAccount(operator, 'SYS');
      const a = new TestAccount(operator, 'A');
      const user = a.user();
      const brief = a.user({}, { top: { exp: Math.floor(Date.now() / 1000) + 2 } });
      const server = await serverFor(context, kind, {
        config: `
          operator: ${operator.jwt({ system_account: sys.key })}
          resolver: MEMORY
          resolver_preload: { ${sys.key}: ${sys.jwt()}, ${a.key}: ${a.jwt()} }`,
      });
      const system = await enter(server, sys.user());
      const ears = new Ears(system, '$SYS.SERVER.>', '$SYS.ACCOUNT.>');
      await system.flush();
      await enter(server, brief);
      const expired = await ears.next(1);
      assert.deepEqual(expired, [`$SYS.ACCOUNT.${a.key}.DISCONNECT: ${a.key} ${brief.key} Authentication Expired`]);
      await enter(server, user);
      const revoked = a.jwt({ revocations: { '*': Math.floor(Date.now() / 1000) + 10 } });
      await system.request(`$SYS.REQ.ACCOUNT.${a.key}.CLAIMS.UPDATE`, revoked);
      assert.deepEqual(await ears.next(1), [`$SYS.ACCOUNT.${a.key}.DISCONNECT: ${a.key} ${user.key} Credentials Revoked`]);
      await isRefused(enter(server, user));
      assert.deepEqual(await ears.next(2), told(user.key));
      await isRefused(enterWith(server, { user: 'x', pass: 'y' }));
      assert.deepEqual(await ears.next(2), told('x'));
      await system.close();
    });
  });
}
