/** Resolvers that keep JWTs: what `nsc push` sends takes effect at once, survives a restart, and is listed, looked up and deleted. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { NatsConnection } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { serverFor } from '../support/server.ts';
import { temporaryFolder, removeFolder } from '../support/temporary.ts';
import { TestAccount, TestOperator, jwt } from '../support/tokens.ts';
import { targets } from './servers.ts';
import { enter, refused } from './signed-clients.ts';

interface Answer {
  readonly server?: { readonly name: string };
  readonly data?: { readonly account?: string; readonly code: number; readonly message: string };
  readonly error?: { readonly account?: string; readonly code: number; readonly description: string };
}

class World {
  readonly operator = new TestOperator();
  readonly system = new TestAccount(this.operator, 'SYS');
  readonly a = new TestAccount(this.operator, 'A');
  readonly folder: string;

  constructor(context: { after(work: () => unknown): void }) {
    this.folder = temporaryFolder();
    context.after(() => removeFolder(this.folder));
  }

  config(resolver: string, preload = `resolver_preload: { ${this.system.key}: ${this.system.jwt()} }`): string {
    return `operator: ${this.operator.jwt({ system_account: this.system.key })}\nresolver: ${resolver}\n${preload}\n`;
  }

  full(more = ''): string {
    return this.config(`{ type: full, dir: ${JSON.stringify(join(this.folder, 'jwt'))}, allow_delete: true, ${more} }`);
  }
}

async function ask(connection: NatsConnection, subject: string, payload = ''): Promise<Answer> {
  return (await connection.request(subject, payload, { timeout: patienceMs })).json();
}

for (const { kind, skip } of targets) {
  describe(`resolvers at ${kind}`, { skip }, () => {
    test('an account that is pushed lets its users in, also after a restart', async (context) => {
      const world = new World(context);
      const { a, system } = world;
      const user = a.user();
      const first = await serverFor(context, kind, { config: world.full() });
      const admin = await enter(first, system.user());
      assert.ok(await refused(enter(first, user)));
      const pushed = await ask(admin, '$SYS.REQ.CLAIMS.UPDATE', a.jwt());
      assert.deepEqual(pushed.data, { account: a.key, code: 200, message: 'jwt updated' });
      assert.ok(!(await refused(enter(first, user))));
      const list = await ask(admin, '$SYS.REQ.CLAIMS.LIST');
      assert.deepEqual([...(list.data as unknown as string[])].sort(), [a.key, system.key].sort());
      await admin.close();
      await first.stop();
      const second = await serverFor(context, kind, { config: world.full() });
      assert.ok(!(await refused(enter(second, user))));
    });

    test('what is pushed must be a good JWT of the account it is pushed for', async (context) => {
      const world = new World(context);
      const { a, system } = world;
      const server = await serverFor(context, kind, { config: world.full() });
      const admin = await enter(server, system.user());
      const subject = `$SYS.REQ.ACCOUNT.${a.key}.CLAIMS.UPDATE`;
      const garbage = await ask(admin, subject, 'garbage');
      assert.deepEqual(garbage.error, {
        account: 'n/a',
        code: 500,
        description: 'jwt update resulted in error - expected 3 chunks',
      });
      const other = new TestAccount(world.operator, 'B');
      const mismatch = await ask(admin, subject, other.jwt());
      assert.equal(mismatch.error?.description, 'jwt update resulted in error - subject does not match jwt content');
      const invalid = await ask(admin, subject, a.jwt({ exports: [{ subject: 'x', type: 'service' }] }, { exports: 0 }));
      assert.match(
        invalid.error?.description ?? '',
        /^jwt validation failed - validation errors: \[the account contains more exports/,
      );
      const good = await ask(admin, `$SYS.ACCOUNT.${a.key}.CLAIMS.UPDATE`, a.jwt());
      assert.equal(good.data?.message, 'jwt updated');
      const found = await admin.request(`$SYS.REQ.ACCOUNT.${a.key}.CLAIMS.LOOKUP`, '', { timeout: patienceMs });
      assert.match(found.string(), /^eyJ/);
      const missing = await admin.request(`$SYS.REQ.ACCOUNT.${other.key}.CLAIMS.LOOKUP`, '', { timeout: patienceMs });
      assert.equal(missing.string(), '');
      await admin.close();
    });

    test('an update takes effect on those who are in: revocation, limits, signing keys', async (context) => {
      const world = new World(context);
      const { a, system } = world;
      const server = await serverFor(context, kind, { config: world.full() });
      const admin = await enter(server, system.user());
      await ask(admin, '$SYS.REQ.CLAIMS.UPDATE', a.jwt());
      const [stays, revoked, third] = [a.user(), a.user(), a.user()];
      const connections = [await enter(server, stays), await enter(server, revoked), await enter(server, third)] as const;
      const at = Math.floor(Date.now() / 1000) + 5;
      const update = a.jwt({ revocations: { [revoked.key]: at } }, { conn: 1 }, { iat: at });
      await ask(admin, '$SYS.REQ.CLAIMS.UPDATE', update);
      assert.match(String(await connections[1].closed()), /User Authentication Revoked|maximum account active connections/i);
      assert.match(String(await connections[2].closed()), /maximum account active connections exceeded/i);
      assert.ok(await refused(enter(server, revoked)));
      assert.equal(connections[0].isClosed(), false);
      await connections[0].flush();
      await connections[0].close();
      await admin.close();
    });

    test('an account is deleted by a request that the operator signed', async (context) => {
      const world = new World(context);
      const { a, system, operator } = world;
      const server = await serverFor(context, kind, { config: world.full() });
      const admin = await enter(server, system.user());
      await ask(admin, '$SYS.REQ.CLAIMS.UPDATE', a.jwt());
      const connection = await enter(server, a.user());
      const deletion = (signer: TestOperator): string =>
        jwt(signer.keys, { sub: signer.keys.getPublicKey(), nats: { accounts: [a.key], type: 'generic', version: 2 } });
      const stranger = new TestOperator();
      const no = await ask(admin, '$SYS.REQ.CLAIMS.DELETE', deletion(stranger));
      assert.match(no.error?.description ?? '', /failed - not trusted$/);
      const done = await ask(admin, '$SYS.REQ.CLAIMS.DELETE', deletion(operator));
      assert.equal(done.data?.message, 'deleted 1 accounts');
      assert.match(String(await connection.closed()), /Account Authentication Expired/i);
      assert.ok(await refused(enter(server, a.user())));
      await admin.close();
    });

    test('a cache takes only updates of accounts in use, and drops none that it was not given', async (context) => {
      const world = new World(context);
      const { a, system } = world;
      const config = world.config(`{ type: cache, dir: ${JSON.stringify(join(world.folder, 'jwt'))} }`);
      const server = await serverFor(context, kind, { config });
      const admin = await enter(server, system.user());
      const skipped = await ask(admin, '$SYS.REQ.CLAIMS.UPDATE', a.jwt());
      assert.equal(skipped.data?.message, 'jwt update cache skipped');
      const taken = await ask(admin, '$SYS.REQ.CLAIMS.UPDATE', system.jwt({}, {}, { name: 'SYS2' }));
      assert.equal(taken.data?.message, 'jwt updated cache');
      await admin.close();
    });

    test('a web server is asked for accounts', async (context) => {
      const world = new World(context);
      const { a, system } = world;
      const documents: Record<string, string> = { [a.key]: a.jwt(), [system.key]: system.jwt() };
      const web = createServer((request, response) => {
        const key = (request.url ?? '').split('/').at(-1) ?? '';
        const found = key === '' ? 'here' : documents[key];
        response.writeHead(found === undefined ? 404 : 200).end(found);
      });
      await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
      context.after(() => web.close());
      const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/jwt/v1/accounts/`;
      const server = await serverFor(context, kind, { config: world.config(`URL(${url})`, '') });
      assert.ok(!(await refused(enter(server, a.user()))));
      assert.ok(await refused(enter(server, new TestAccount(world.operator, 'B').user())));
    });

    test('MEMORY takes updates of accounts in use', async (context) => {
      const world = new World(context);
      const { a, system } = world;
      const preload = `resolver_preload: { ${system.key}: ${system.jwt()}, ${a.key}: ${a.jwt()} }`;
      const server = await serverFor(context, kind, { config: world.config('MEMORY', preload) });
      const admin = await enter(server, system.user());
      const subject = `$SYS.REQ.ACCOUNT.${a.key}.CLAIMS.UPDATE`;
      assert.equal((await ask(admin, subject, a.jwt())).data?.message, 'jwt update skipped');
      const connection = await enter(server, a.user());
      assert.equal((await ask(admin, subject, a.jwt({}, { conn: 5 }))).data?.message, 'jwt updated');
      await connection.close();
      await admin.close();
    });
  });
}
