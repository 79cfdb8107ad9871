/** Operator mode: clients come in with JWTs that an operator's accounts signed, and do what those allow. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { createAccount } from '@nats-io/nkeys';
import { connect, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { ServerProcess, serverFor, type ServerKind } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { TestAccount, TestOperator, jetstreamLimits, jwt, type TestUser } from '../support/tokens.ts';
import { targets } from './servers.ts';
import { enter } from './signed-clients.ts';

class World {
  readonly operator = new TestOperator();
  readonly system = new TestAccount(this.operator, 'SYS');
  readonly a = new TestAccount(this.operator, 'A');
  readonly b = new TestAccount(this.operator, 'B');

  config(accounts: Readonly<Record<string, string>>, more = ''): string {
    const preload = Object.entries({ [this.system.key]: this.system.jwt(), ...accounts });
    return [
      `operator: ${this.operator.jwt({ system_account: this.system.key })}`,
      'resolver: MEMORY',
      `resolver_preload: {\n${preload.map(([key, token]) => `  ${key}: ${token}`).join('\n')}\n}`,
      more,
    ].join('\n');
  }
}

type Working = (server: ServerProcess) => Promise<void>;

async function serving(kind: ServerKind, config: string, work: Working, args: readonly string[] = []): Promise<void> {
  const server = await ServerProcess.start(kind, { config, args });
  try {
    await work(server);
  } finally {
    await server.kill();
  }
}

async function refusal(attempt: Promise<NatsConnection>): Promise<string> {
  try {
    const connection = await attempt;
    await connection.close();
    return 'came in';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The first error a connection reports. */
async function firstError(connection: NatsConnection): Promise<string> {
  for await (const status of connection.status()) if (status.type === 'error') return status.error.message;
  return 'none';
}

async function answers(connection: NatsConnection, subject = 'echo'): Promise<string> {
  return (await connection.request(subject, 'hello', { timeout: patienceMs })).string();
}

function echo(connection: NatsConnection, subject = 'echo'): void {
  connection.subscribe(subject, { callback: (_error, message) => void message.respond(message.data) });
}

for (const { kind, skip } of targets) {
  describe(`operator mode at ${kind}`, { skip }, () => {
    test('users of an account meet, users of another do not hear them', async () => {
      const world = new World();
      const { a, b } = world;
      await serving(kind, world.config({ [a.key]: a.jwt(), [b.key]: b.jwt() }), async (server) => {
        const [one, two, other] = [await enter(server, a.user()), await enter(server, a.user()), await enter(server, b.user())];
        echo(one);
        await one.flush();
        assert.equal(await answers(two), 'hello');
        await assert.rejects(answers(other), /no responders/);
        for (const connection of [one, two, other]) await connection.close();
      });
    });

    test('whoever cannot show a good JWT is refused', async () => {
      const world = new World();
      const { a, b } = world;
      const stranger = new TestAccount(new TestOperator(), 'X');
      await serving(kind, world.config({ [a.key]: a.jwt() }), async (server) => {
        const good = a.user();
        const wrongKey = { ...good, seed: a.user().seed };
        const expired = a.user({}, { top: { exp: Math.floor(Date.now() / 1000) - 5 } });
        const otherSigner = a.user({}, { signer: createAccount() });
        for (const user of [wrongKey, expired, otherSigner, b.user(), stranger.user()]) {
          assert.match(await refusal(enter(server, user)), /Authorization Violation/i);
        }
        assert.match(await refusal(connect({ servers: server.url, reconnect: false })), /Authorization Violation/i);
        const changed = { ...good, jwt: good.jwt.slice(0, -4) + 'AAAA' };
        assert.match(await refusal(enter(server, changed)), /Authorization Violation/i);
        assert.equal(await refusal(enter(server, good)), 'came in');
      });
    });

    test('bearers need no key, where the account lets them', async () => {
      const world = new World();
      const { a, b } = world;
      const config = world.config({ [a.key]: a.jwt(), [b.key]: b.jwt({}, { disallow_bearer: true }) });
      await serving(kind, config, async (server) => {
        const bare = (user: TestUser): Promise<NatsConnection> =>
          connect({ servers: server.url, reconnect: false, authenticator: jwtAuthenticator(user.jwt) });
        assert.equal(await refusal(bare(a.user({ bearer_token: true }))), 'came in');
        assert.match(await refusal(bare(a.user())), /Authorization Violation/i);
        assert.match(await refusal(bare(b.user({ bearer_token: true }))), /Authorization Violation/i);
      });
    });

    test('permissions of the user, else those of the account', async () => {
      const world = new World();
      const { a } = world;
      const account = a.jwt({ default_permissions: { pub: { deny: ['no.>'] } } });
      await serving(kind, world.config({ [a.key]: account }), async (server) => {
        const own = await enter(server, a.user({ pub: { allow: ['yes', '_INBOX.>'] } }));
        const byDefault = await enter(server, a.user());
        const errors = [firstError(own), firstError(byDefault)];
        own.publish('other');
        byDefault.publish('no.way');
        byDefault.publish('yes');
        assert.deepEqual(await Promise.all(errors), [
          'Permissions Violation for Publish to "other"',
          'Permissions Violation for Publish to "no.way"',
        ]);
        await own.close();
        await byDefault.close();
      });
    });

    test('a scoped signing key gives its users its template', async () => {
      const world = new World();
      const { a } = world;
      const scoped = createAccount();
      const template = {
        pub: { allow: ['{{name()}}.>', 'team.{{tag(team)}}'] },
        sub: { deny: ['x'] },
        subs: -1,
        data: -1,
        payload: 10,
      };
      const signing = { kind: 'user_scope', key: scoped.getPublicKey(), role: 'r', template };
      await serving(kind, world.config({ [a.key]: a.jwt({ signing_keys: [signing] }) }), async (server) => {
        const connection = await enter(server, a.scopedUser(scoped, { name: 'ann' }, { tags: ['team:red'] }));
        const error = firstError(connection);
        connection.publish('ann.x');
        connection.publish('team.red');
        connection.publish('bob.x');
        assert.match(await error, /Publish to "bob.x"/);
        assert.equal(connection.info?.max_payload, 10);
        await connection.close();
        const bounded = a.user({ pub: { allow: ['>'] } }, { signer: scoped });
        assert.match(await refusal(enter(server, bounded)), /Authorization Violation/i);
      });
    });

    test('limits of the account: connections, payload, subscriptions', async () => {
      const world = new World();
      const { a } = world;
      await serving(kind, world.config({ [a.key]: a.jwt({}, { conn: 1, payload: 20, subs: 2 }) }), async (server) => {
        const one = await enter(server, a.user());
        // The client may be reset before it has read why.
        assert.match(await refusal(enter(server, a.user())), /maximum account active connections exceeded|ECONNRESET|EPIPE/i);
        assert.equal(one.info?.max_payload, 20);
        const error = firstError(one);
        for (const subject of ['s1', 's2', 's3']) one.subscribe(subject);
        assert.match(await error, /maximum subscriptions exceeded/i);
        await one.close();
      });
    });

    test('a user whose time is over is told and closed', async () => {
      const world = new World();
      const { a } = world;
      await serving(kind, world.config({ [a.key]: a.jwt() }), async (server) => {
        const soon = a.user({}, { top: { exp: Math.floor(Date.now() / 1000) + 2 } });
        const connection = await enter(server, soon);
        const gone = await connection.closed();
        assert.match(String(gone), /User Authentication Expired/i);
      });
    });

    test('networks and connection types that a user may come by', async () => {
      const world = new World();
      const { a } = world;
      await serving(kind, world.config({ [a.key]: a.jwt() }), async (server) => {
        assert.equal(await refusal(enter(server, a.user({ src: ['127.0.0.0/8'] }))), 'came in');
        assert.match(await refusal(enter(server, a.user({ src: ['10.0.0.0/8'] }))), /Authorization Violation/i);
        assert.equal(await refusal(enter(server, a.user({ allowed_connection_types: ['STANDARD', 'NEW'] }))), 'came in');
        assert.match(await refusal(enter(server, a.user({ allowed_connection_types: ['MQTT'] }))), /Authorization Violation/i);
        assert.match(await refusal(enter(server, a.user({ allowed_connection_types: ['NEW'] }))), /Authorization Violation/i);
      });
    });

    test('services and streams between accounts, private ones with an activation', async () => {
      const world = new World();
      const { a, b } = world;
      const activation = jwt(a.keys, {
        name: 'x',
        sub: b.key,
        nats: { subject: 'private', kind: 'service', type: 'activation', version: 2 },
      });
      const exports = [
        { subject: 'echo', type: 'service' },
        { subject: 'private', type: 'service', token_req: true },
        { subject: 'closed', type: 'service', token_req: true },
        { subject: 'news.>', type: 'stream' },
      ];
      const imports = [
        { subject: 'echo', account: a.key, type: 'service', local_subject: 'from.a' },
        { subject: 'private', account: a.key, type: 'service', token: activation },
        { subject: 'closed', account: a.key, type: 'service' },
        { subject: 'news.>', account: a.key, type: 'stream', local_subject: 'a.news.>' },
      ];
      const config = world.config({ [a.key]: a.jwt({ exports }), [b.key]: b.jwt({ imports }) });
      await serving(kind, config, async (server) => {
        const importer = await enter(server, b.user());
        const exporter = await enter(server, a.user());
        for (const subject of ['echo', 'private', 'closed']) echo(exporter, subject);
        await exporter.flush();
        const news = importer.subscribe('a.news.*', { max: 1 });
        await importer.flush();
        assert.equal(await answers(importer, 'from.a'), 'hello');
        assert.equal(await answers(importer, 'private'), 'hello');
        await assert.rejects(answers(importer, 'closed'), /no responders/);
        exporter.publish('news.today', 'sun');
        for await (const message of news) assert.deepEqual([message.subject, message.string()], ['a.news.today', 'sun']);
        await importer.close();
        await exporter.close();
      });
    });

    test('mappings in the claims of an account', async () => {
      const world = new World();
      const { a } = world;
      const mappings = { 'old.*': [{ subject: 'new.$1', weight: 100 }] };
      await serving(kind, world.config({ [a.key]: a.jwt({ mappings }) }), async (server) => {
        const connection = await enter(server, a.user());
        echo(connection, 'new.x');
        assert.equal(await answers(connection, 'old.x'), 'hello');
        await connection.close();
      });
    });

    test('JetStream where the account has storage, within its limits', async () => {
      const world = new World();
      const { a, b } = world;
      const config = world.config({ [a.key]: a.jwt({}, { ...jetstreamLimits, streams: 1 }), [b.key]: b.jwt() });
      const work: Working = async (server) => {
        const connection = await enter(server, a.user());
        const manager = await jetstreamManager(connection);
        assert.equal((await manager.getAccountInfo()).limits.max_streams, 1);
        await manager.streams.add({ name: 'S', subjects: ['s'] });
        await assert.rejects(manager.streams.add({ name: 'T', subjects: ['t'] }), /maximum number of streams reached/);
        await connection.close();
        const without = await enter(server, b.user());
        await assert.rejects(
          jetstreamManager(without),
          /jetstream is not enabled|JetStream not enabled for account|no responders/i,
        );
        await without.close();
      };
      const server = await ServerProcess.start(kind, { config, args: ['-js', '-sd', '.'] });
      try {
        await work(server);
      } finally {
        await server.kill();
      }
    });

    test('JetStream limits by replicas: those of one replica count here', async () => {
      const world = new World();
      const { a, b } = world;
      const tier = { mem_storage: 0, disk_storage: 2 ** 20, streams: 1, consumer: -1 };
      const accounts = {
        [a.key]: a.jwt({}, { tiered_limits: { R1: tier, R3: { ...tier, disk_storage: 5 } } }),
        [b.key]: b.jwt({}, { tiered_limits: { R3: tier } }),
      };
      const work: Working = async (server) => {
        const connection = await enter(server, a.user());
        const manager = await jetstreamManager(connection);
        await manager.streams.add({ name: 'S', subjects: ['s'], max_bytes: 1000 });
        const info = await manager.getAccountInfo();
        const { R1, R3 } = (info.tiers ?? {}) as Record<string, typeof info>;
        assert.deepEqual([info.limits.max_storage, info.streams, info.reserved_storage], [0, 1, 1000]);
        assert.deepEqual([R1?.limits.max_storage, R1?.streams, R1?.reserved_storage], [2 ** 20, 1, 1000]);
        assert.deepEqual([R3?.limits.max_storage, R3?.streams], [5, 0]);
        await assert.rejects(manager.streams.add({ name: 'T', subjects: ['t'] }), /maximum number of streams reached/);
        await connection.close();
        const other = await enter(server, b.user());
        const none = await jetstreamManager(other);
        await assert.rejects(
          none.streams.add({ name: 'S', subjects: ['s'] }),
          /no JetStream default or applicable tiered limit present/,
        );
        await other.close();
      };
      await serving(kind, world.config(accounts), work, ['-js', '-sd', '.']);
    });

    test('streams of signed accounts are there from the start, before any client', async (context) => {
      const world = new World();
      const { a } = world;
      const folder = temporaryFolder();
      context.after(() => removeFolder(folder));
      const config = world.config({ [a.key]: a.jwt({}, jetstreamLimits) }, 'http: "127.0.0.1:-1"');
      const options = { config, folder, args: ['-js', '-sd', folder] };
      const first = await serverFor(context, kind, options);
      const connection = await enter(first, a.user());
      await (await jetstreamManager(connection)).streams.add({ name: 'S', subjects: ['s'] });
      await connection.close();
      await first.stop();
      const second = await serverFor(context, kind, options);
      const answer = await fetch(`http://127.0.0.1:${second.portOf('monitoring')}/jsz`);
      assert.equal(((await answer.json()) as { streams: number }).streams, 1);
    });

    test('monitoring shows the claims that somebody came in by', async (context) => {
      const world = new World();
      const { a } = world;
      const config = world.config({ [a.key]: a.jwt({ tags: ['blue'] }) }, 'http: "127.0.0.1:-1"');
      const server = await serverFor(context, kind, { config });
      const user = a.user({ tags: ['fast'] }, { top: { name: 'Ann' } });
      const connection = await enter(server, user);
      const at = async (path: string): Promise<Record<string, unknown>> => {
        const answer = await fetch(`http://127.0.0.1:${server.portOf('monitoring')}${path}`);
        return (await answer.json()) as Record<string, unknown>;
      };
      const [row] = (await at('/connz?auth=1'))['connections'] as Record<string, unknown>[];
      assert.deepEqual(
        [row?.['account'], row?.['authorized_user'], row?.['jwt'], row?.['issuer_key'], row?.['name_tag'], row?.['tags']],
        [a.key, user.key, user.jwt, a.key, 'A', ['fast']],
      );
      const detail = (await at(`/accountz?acc=${a.key}`))['account_detail'] as Record<string, unknown>;
      assert.deepEqual(
        [detail['account_name'], detail['issuer_key'], detail['name_tag'], detail['tags'], detail['expired'], detail['complete']],
        [a.key, world.operator.keys.getPublicKey(), 'A', ['blue'], false, true],
      );
      assert.match(String(detail['jwt']), /^eyJ/);
      assert.equal((detail['decoded_jwt'] as { sub: string }).sub, a.key);
      const varz = await at('/varz');
      assert.equal((varz['trusted_operators_jwt'] as string[]).length, 1);
      assert.equal((varz['trusted_operators_claim'] as { sub: string }[])[0]?.sub, world.operator.keys.getPublicKey());
      assert.equal(varz['system_account'], world.system.key);
      await connection.close();
    });
  });
}
