/** Further ways in: sentinels, cookies, pinned accounts, strict operators, proxies, reloads; and the nats CLI with a creds file. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createAccount, createOperator, createUser } from '@nats-io/nkeys';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { skipWithout } from '../support/peers.ts';
import { serverFor } from '../support/server.ts';
import { TestAccount, TestOperator, credsFile, jetstreamLimits, jwt, type TestUser } from '../support/tokens.ts';
import { startCli } from './cli.ts';
import { targets } from './servers.ts';
import { enter, refused } from './signed-clients.ts';

class World {
  readonly operator = new TestOperator();
  readonly system = new TestAccount(this.operator, 'SYS');
  readonly a = new TestAccount(this.operator, 'A');
  readonly b = new TestAccount(this.operator, 'B');
  /** One for all: another JWT of the same operator is no change that a reload takes. */
  readonly operatorJwt = this.operator.jwt({ system_account: this.system.key });

  config(accounts: Readonly<Record<string, string>>, more = '', operator = this.operatorJwt): string {
    const preload = Object.entries({ [this.system.key]: this.system.jwt(), ...accounts });
    return [
      `operator: ${operator}`,
      'resolver: MEMORY',
      `resolver_preload: {\n${preload.map(([key, token]) => `  ${key}: ${token}`).join('\n')}\n}`,
      more,
    ].join('\n');
  }
}

async function accountOf(connection: NatsConnection): Promise<string> {
  const answer = await connection.request('$SYS.REQ.USER.INFO', '', { timeout: patienceMs });
  return answer.json<{ data: { account: string } }>().data.account;
}

/** Says CONNECT with members that follow from the nonce; resolves with the answer to a PING. */
function dialogue(port: number, members: (nonce: string) => Record<string, unknown>): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1');
    let text = '';
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.on('data', (bytes) => {
      const isFirst = text === '';
      text += bytes.toString();
      if (isFirst) {
        const nonce = /"nonce":"([^"]*)"/.exec(text)?.[1] ?? '';
        text = ' ';
        socket.write(`CONNECT ${JSON.stringify({ verbose: false, ...members(nonce) })}\r\nPING\r\n`);
      } else if (/PONG|-ERR/.test(text)) socket.end();
    });
  });
}

for (const { kind, skip } of targets) {
  describe(`trust at ${kind}`, { skip }, () => {
    test('a default sentinel stands in for clients without a JWT', async (context) => {
      const world = new World();
      const { a } = world;
      const sentinel = a.user({ bearer_token: true }).jwt;
      const config = world.config({ [a.key]: a.jwt() }, `default_sentinel: ${sentinel}`);
      const server = await serverFor(context, kind, { config });
      const connection = await connect({ servers: server.url, reconnect: false });
      assert.equal(await accountOf(connection), a.key);
      await connection.close();
    });

    test('only pinned accounts, where some are', async (context) => {
      const world = new World();
      const { a, b } = world;
      const config = world.config({ [a.key]: a.jwt(), [b.key]: b.jwt() }, `resolver_pinned_accounts: [ ${a.key} ]`);
      const server = await serverFor(context, kind, { config });
      assert.equal(await refused(enter(server, a.user())), false);
      assert.equal(await refused(enter(server, b.user())), true);
      assert.equal(await refused(enter(server, world.system.user())), false);
    });

    test('a strict operator wants signing keys to be used, its own and those of accounts', async (context) => {
      const world = new World();
      const [signing, accountSigning] = [createOperator(), createAccount()];
      const operator = world.operator.jwt({ signing_keys: [signing.getPublicKey()], strict_signing_key_usage: true });
      const account = new TestAccount({ keys: signing } as TestOperator, 'A');
      const direct = new TestAccount(world.operator, 'D');
      const accounts = {
        [account.key]: account.jwt({ signing_keys: [accountSigning.getPublicKey()] }),
        [direct.key]: direct.jwt(),
      };
      const config = world.config(accounts, '', operator).replace(/.*SYS.*/, '');
      const server = await serverFor(context, kind, { config });
      assert.equal(await refused(enter(server, account.user({}, { signer: accountSigning }))), false);
      assert.equal(await refused(enter(server, account.user())), true);
      assert.equal(await refused(enter(server, direct.user())), true);
    });

    test('trusted keys without an operator’s JWT', async (context) => {
      const world = new World();
      const { a } = world;
      const config = world
        .config({ [a.key]: a.jwt() })
        .replace(/^operator: .*$/m, `trusted_keys: ${world.operator.keys.getPublicKey()}`);
      const server = await serverFor(context, kind, { config });
      assert.equal(await refused(enter(server, a.user())), false);
      assert.equal(await refused(enter(server, world.b.user())), true);
    });

    test('a reload takes the accounts that the file has now', async (context) => {
      const world = new World();
      const { a, b } = world;
      const server = await serverFor(context, kind, { config: world.config({ [a.key]: a.jwt() }) });
      const stays = await enter(server, a.user());
      const revoked = a.user();
      const goes = await enter(server, revoked);
      assert.equal(await refused(enter(server, b.user())), true);
      const at = Math.floor(Date.now() / 1000) + 5;
      server.writeConfig(world.config({ [a.key]: a.jwt({ revocations: { [revoked.key]: at } }), [b.key]: b.jwt() }));
      server.signal('SIGHUP');
      await server.waitForLog(/Reloaded server configuration/);
      assert.match(String(await goes.closed()), /User Authentication Revoked/i);
      assert.equal(await refused(enter(server, b.user())), false);
      // nats-server closes clients that say their key beside the JWT; they come back at once.
      if (kind === 'slipstream') await stays.flush();
      await stays.close();
    });

    test('a proxy vouches for users that may only come through one', async (context) => {
      const [proxy, stranger, user] = [createUser(), createUser(), createUser()];
      const config = `
        proxies { trusted = [ { key: ${proxy.getPublicKey()} } ] }
        authorization { users = [
          { user: p, password: p, proxy_required: true }
          { user: d, password: d }
          { nkey: ${user.getPublicKey()}, proxy_required: true }
        ] }`;
      const server = await serverFor(context, kind, { config });
      const sign = (pair: typeof proxy, nonce: string): string =>
        Buffer.from(pair.sign(Buffer.from(nonce))).toString('base64url');
      const proxied = (pair: typeof proxy) => (nonce: string) => ({ user: 'p', pass: 'p', proxy_sig: sign(pair, nonce) });
      assert.match(await dialogue(server.port, proxied(proxy)), /PONG/);
      assert.match(await dialogue(server.port, proxied(stranger)), /-ERR 'Authorization Violation'/);
      assert.match(await dialogue(server.port, () => ({ user: 'p', pass: 'p' })), /-ERR 'Authorization Violation'/);
      assert.match(await dialogue(server.port, () => ({ user: 'd', pass: 'd' })), /PONG/);
      const byKey = (nonce: string, via: boolean): Record<string, unknown> => ({
        nkey: user.getPublicKey(),
        sig: sign(user, nonce),
        ...(via && { proxy_sig: sign(proxy, nonce) }),
      });
      assert.match(await dialogue(server.port, (nonce) => byKey(nonce, true)), /PONG/);
      assert.match(await dialogue(server.port, (nonce) => byKey(nonce, false)), /-ERR 'Authorization Violation'/);
    });

    test('garbage in place of a JWT refuses that client and no other', async (context) => {
      const world = new World();
      const { a } = world;
      const server = await serverFor(context, kind, { config: world.config({ [a.key]: a.jwt() }) });
      const stays = await enter(server, a.user());
      const wrong = [
        'x',
        '..',
        'eyJ.eyJ.x',
        jwt(createAccount(), { sub: 'x', nats: { type: 'user', version: 2 } }),
        jwt(a.keys, { sub: 1, nats: { type: 'user', version: 2 } }),
        jwt(a.keys, { nats: [] }),
        jwt(a.keys, { sub: a.key, nats: { type: 'account', version: 2 } }),
      ];
      for (const token of wrong) {
        assert.match(await dialogue(server.port, () => ({ jwt: token, sig: 'x' })), /-ERR 'Authorization Violation'/, token);
      }
      await stays.flush();
      await stays.close();
    });

    test('an activation that is revoked by its exporter closes what it had opened', async (context) => {
      const world = new World();
      const { a, b, system } = world;
      const activation = jwt(a.keys, { sub: b.key, nats: { subject: 'q', kind: 'service', type: 'activation', version: 2 } });
      const exported = { subject: 'q', type: 'service', token_req: true };
      const imports = [{ subject: 'q', account: a.key, type: 'service', token: activation }];
      const config = world.config({ [a.key]: a.jwt({ exports: [exported] }), [b.key]: b.jwt({ imports }) });
      const server = await serverFor(context, kind, { config });
      const [admin, exporter, importer] = [
        await enter(server, system.user()),
        await enter(server, a.user()),
        await enter(server, b.user()),
      ];
      exporter.subscribe('q', { callback: (_error, message) => void message.respond('answer') });
      await exporter.flush();
      assert.equal((await importer.request('q', '', { timeout: patienceMs })).string(), 'answer');
      const revocations = { [b.key]: Math.floor(Date.now() / 1000) + 5 };
      const update = a.jwt({ exports: [{ ...exported, revocations }] });
      await admin.request(`$SYS.REQ.ACCOUNT.${a.key}.CLAIMS.UPDATE`, update, { timeout: patienceMs });
      await assert.rejects(importer.request('q', '', { timeout: 500 }));
      for (const connection of [admin, exporter, importer]) await connection.close();
    });
  });

  describe(`the nats CLI with creds at ${kind}`, { skip: skip || skipWithout('nats') }, () => {
    test('a user works with streams, the system account sees the server', async (context) => {
      const world = new World();
      const { a, system } = world;
      const config = world.config({ [a.key]: a.jwt({}, jetstreamLimits) });
      const server = await serverFor(context, kind, { config, args: ['-js', '-sd', '.'] });
      const nats = async (...args: string[]): Promise<string> => {
        const { code, output } = await startCli(server, args).finished;
        assert.equal(code, 0, output);
        return output;
      };
      const creds = (name: string, user: TestUser): string => {
        const path = join(server.folder, `${name}.creds`);
        writeFileSync(path, credsFile(user));
        return path;
      };
      const user = creds('user', a.user());
      await nats('--creds', user, 'stream', 'add', 'S', '--subjects', 's.>', '--defaults');
      await nats('--creds', user, 'pub', 's.1', 'hello');
      assert.match(await nats('--creds', user, 'stream', 'get', 'S', '1'), /hello/);
      assert.match(await nats('--creds', user, 'account', 'info'), new RegExp(a.key));
      const admin = creds('admin', system.user());
      assert.match(await nats('--creds', admin, 'server', 'list'), /1 Servers|Cluster|Conns/);
      assert.match(await nats('--creds', admin, 'server', 'account', 'info', a.key), /A/);
    });
  });
}
