/**
 * The system account, on both servers: what it can be asked, what any account may ask about itself, and the events of clients that come and go.
 * Answers are compared by their fields, since figures differ from run to run.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { ServerProcess } from '../support/server.ts';
import { targets } from './servers.ts';

const config = `
server_name: srv
system_account: SYS
accounts {
  SYS { users: [ { user: s, password: s } ] }
  A {
    users: [ { user: a, password: a } ]
    exports: [ { service: svc, accounts: [B] }, { service: timed, latency: { sampling: 30%, subject: times } }, { stream: "s.>" } ]
  }
  B {
    users: [ { user: b, password: b, permissions: { publish: { allow: [ "x", "$SYS.>" ] }, subscribe: { deny: "no.*" } } } ]
    imports: [ { service: { account: A, subject: svc }, to: mine, share: true }, { stream: { account: A, subject: "s.>" }, prefix: p } ]
  }
}`;

type Json = Record<string, unknown>;

for (const { kind, skip } of targets) {
  describe(`the system account of ${kind}`, { skip }, () => {
    let server: ServerProcess;
    const clients = new Map<string, NatsConnection>();
    const client = (user: string): NatsConnection => {
      const found = clients.get(user);
      assert.ok(found);
      return found;
    };
    const join = (user: string): Promise<NatsConnection> =>
      connect({ servers: `127.0.0.1:${server.port}`, user, pass: user, name: `client ${user}` });

    before(async () => {
      server = await ServerProcess.start(kind, { config });
      for (const user of ['s', 'a', 'b']) clients.set(user, await join(user));
    });
    after(async () => {
      await Promise.all([...clients.values()].map((one) => one.close()));
      await server.kill();
    });

    async function ask(user: string, subject: string, body: unknown = ''): Promise<Json> {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return (await client(user).request(subject, text, { timeout: patienceMs })).json<Json>();
    }

    test('a ping is answered with who the server is and its load', async () => {
      const { server: info, statsz } = (await ask('s', '$SYS.REQ.SERVER.PING')) as { server: Json; statsz: Json };
      assert.deepEqual(
        Object.keys(info).filter((key) => key !== 'time'),
        ['name', 'host', 'id', 'ver', 'feature_flags', 'jetstream', 'flags', 'seq'],
      );
      assert.equal(info['name'], 'srv');
      assert.equal(statsz['connections'], 3);
      for (const key of ['start', 'mem', 'cores', 'cpu', 'active_accounts', 'sent', 'received', 'slow_consumers', 'gomaxprocs'])
        assert.ok(key in statsz, key);
    });

    test('every document of monitoring can be asked for, of all servers or of one', async () => {
      const { id } = (await ask('s', '$SYS.REQ.SERVER.PING.IDZ')) as { id: string };
      for (const [name, key] of [
        ['VARZ', 'server_name'],
        ['CONNZ', 'connections'],
        ['SUBSZ', 'num_subscriptions'],
        ['ROUTEZ', 'routes'],
        ['LEAFZ', 'leafs'],
        ['ACCOUNTZ', 'accounts'],
        ['JSZ', 'server_id'],
        ['HEALTHZ', 'status_code'],
        ['GATEWAYZ', 'server_id'],
        ['EXPVARZ', 'memstats'],
        ['PROFILEZ', 'error'],
      ] as const) {
        for (const to of ['PING', id]) {
          const { data } = (await ask('s', `$SYS.REQ.SERVER.${to}.${name}`)) as { data: Json };
          assert.ok(key in data, `${name} of ${to}: ${Object.keys(data).join()}`);
        }
      }
    });

    test('options and filters come as JSON; what is none is answered with an error', async () => {
      const { data } = (await ask('s', '$SYS.REQ.SERVER.PING.CONNZ', { auth: true, limit: 1, subscriptions: true })) as {
        data: { limit: number; connections: Json[] };
      };
      assert.equal(data.limit, 1);
      assert.equal(data.connections[0]?.['authorized_user'], 's');
      assert.ok('subscriptions_list' in (data.connections[0] ?? {}));
      const { error } = (await ask('s', '$SYS.REQ.SERVER.PING.CONNZ', 'bad')) as { error: Json };
      assert.deepEqual(error, { code: 400, description: "invalid character 'b' looking for beginning of value" });
      for (const [body, description] of [
        ['{"limit":', 'unexpected end of JSON input'],
        ['{} x', "invalid character 'x' after top-level value"],
        ['[]', 'json: cannot unmarshal array into Go value of type server.JszEventOptions'],
        ['5', 'json: cannot unmarshal number into Go value of type server.JszEventOptions'],
      ] as const) {
        const answer = (await ask('s', '$SYS.REQ.SERVER.PING.JSZ', body)) as { error: Json };
        assert.deepEqual(answer.error, { code: 400, description }, body);
      }
      await assert.rejects(
        client('s').request('$SYS.REQ.SERVER.PING.VARZ', JSON.stringify({ server_name: 'other' }), { timeout: 200 }),
        /timeout/,
      );
      assert.ok('data' in (await ask('s', '$SYS.REQ.SERVER.PING.VARZ', { server_name: 'sr', host: '127' })));
      const { id } = (await ask('s', '$SYS.REQ.SERVER.PING.IDZ', { server_name: 'other' })) as { id: string };
      await assert.rejects(
        client('s').request(`$SYS.REQ.SERVER.${id}.VARZ`, JSON.stringify({ server_name: 'other' }), { timeout: 200 }),
        /timeout/,
      );
      for (const name of ['RAFTZ', 'IPQUEUESZ']) assert.ok('data' in (await ask('s', `$SYS.REQ.SERVER.${id}.${name}`)), name);
    });

    test('the health of a consumer is asked for by its name', async () => {
      const { data } = (await ask('s', '$SYS.REQ.SERVER.PING.HEALTHZ', { consumer: 'c', details: true })) as { data: Json };
      assert.deepEqual(data, {
        status: 'error',
        status_code: 400,
        errors: [{ type: 'BAD_REQUEST', error: '"stream" must not be empty when checking consumer health' }],
      });
    });

    test('a client is sent away or closed by its number', async () => {
      const { id } = (await ask('s', '$SYS.REQ.SERVER.PING.IDZ')) as { id: string };
      const order = (name: string, body: unknown): Promise<Json> => ask('s', `$SYS.REQ.SERVER.${id}.${name}`, body);
      assert.deepEqual((await order('KICK', { cid: 9999 }))['error'], {
        code: 500,
        description: 'no such client or leafnode id',
      });
      assert.deepEqual((await order('LDM', { cid: 9999 }))['error'], { code: 500, description: 'no such client id' });
      for (const body of ['', 'bad', '{"cid":-1}', '{"cid":"1"}'])
        await assert.rejects(client('s').request(`$SYS.REQ.SERVER.${id}.KICK`, body, { timeout: 100 }), /timeout/, body);
      const guest = await connect({ servers: `127.0.0.1:${server.port}`, user: 'a', pass: 'a', reconnect: false });
      await guest.flush();
      const cid = guest.info?.client_id;
      const told = (async () => {
        for await (const status of guest.status()) if (status.type === 'ldm') return status.type;
        return 'ended';
      })();
      assert.deepEqual(Object.keys(await order('LDM', { cid })), ['server']);
      assert.equal(await told, 'ldm');
      assert.deepEqual(Object.keys(await order('KICK', { cid })), ['server']);
      await guest.closed();
      const { data } = (await ask('s', '$SYS.REQ.SERVER.PING.CONNZ', { state: 1, cid })) as {
        data: { connections: { reason: string }[] };
      };
      assert.equal(data.connections[0]?.reason, 'Kicked');
    });

    test('the configuration is read again on demand', async () => {
      const { id } = (await ask('s', '$SYS.REQ.SERVER.PING.IDZ')) as { id: string };
      assert.deepEqual(Object.keys(await ask('s', `$SYS.REQ.SERVER.${id}.RELOAD`)), ['server']);
      const { error } = (await ask('s', `$SYS.REQ.SERVER.${id}.RELOAD`, 'bad')) as { error: Json };
      assert.equal(error['code'], 400);
    });

    test('subscribers of a subject are counted', async () => {
      const listening = [
        client('s').subscribe('n.1'),
        client('s').subscribe('n.*', { queue: 'q' }),
        client('a').subscribe('n.1'),
      ];
      await Promise.all([client('s').flush(), client('a').flush()]);
      const count = async (subject: string, body: string): Promise<number> =>
        Number((await client('s').request(subject, body, { timeout: patienceMs })).string());
      for (const [body, expected] of [
        ['n.1', 2],
        ['n.1 q', 1],
        ['n.2', 1],
        ['n.>', 2],
        ['n.3.4', 0],
      ] as const)
        assert.equal(await count('$SYS.DEBUG.SUBSCRIBERS', body), expected, body);
      assert.equal(await count('$SYS.REQ.ACCOUNT.NSUBS', JSON.stringify({ acc: 'A', subject: 'n.1' })), 1);
      for (const subscription of listening) subscription.unsubscribe();
    });

    test('an account is asked how many connections it has', async () => {
      const event = await ask('s', '$SYS.REQ.ACCOUNT.A.CONNS');
      assert.equal(event['type'], 'io.nats.server.advisory.v1.account_connections');
      assert.equal(event['conns'], 1);
      const { data } = (await ask('s', '$SYS.REQ.ACCOUNT.A.SUBSZ')) as {
        data: { subscriptions_list: Json[]; num_subscriptions: number };
      };
      assert.ok(data.subscriptions_list.length > 0);
      assert.equal(data.num_subscriptions, data.subscriptions_list.length, "the server's own are listed and counted");
    });

    test('an account is asked for what it exports and imports', async () => {
      const { data: a } = (await ask('s', '$SYS.REQ.ACCOUNT.A.INFO')) as { data: { exports: Json[] } };
      assert.deepEqual(a.exports, [
        { subject: 'svc', type: 'service', response_type: 'Singleton', approved_accounts: ['B'] },
        { subject: 'timed', type: 'service', response_type: 'Singleton', service_latency: { sampling: 30, results: 'times' } },
        { subject: 's.>', type: 'stream' },
      ]);
      const { data: b } = (await ask('s', '$SYS.REQ.ACCOUNT.B.INFO')) as { data: { imports: Json[] } };
      const own = b.imports.filter(({ account }) => account === 'A');
      const state = { invalid: false, share: false, tracking: false };
      assert.deepEqual(own, [
        { subject: 's.>', account: 'A', local_subject: 'p.s.>', type: 'stream', ...state },
        { subject: 'svc', account: 'A', to: 'mine', local_subject: 'mine', type: 'service', ...state, share: true },
      ]);
      const { error } = (await ask('s', '$SYS.REQ.ACCOUNT.NONE.INFO')) as { error: Json };
      assert.deepEqual(error, { code: 500, description: 'Account NONE does not exist' });
    });

    test('accounts are asked for their connections and traffic; unused ones are silent', async () => {
      const { data } = (await ask('s', '$SYS.REQ.ACCOUNT.A.CONNZ')) as { data: { num_connections: number } };
      assert.equal(data.num_connections, 1);
      const { data: stats } = (await ask('s', '$SYS.REQ.ACCOUNT.A.STATZ')) as { data: { account_statz: Json[] } };
      assert.equal(stats.account_statz[0]?.['conns'], 1);
      const { data: all } = (await ask('s', '$SYS.REQ.ACCOUNT.PING.STATZ')) as { data: { account_statz: Json[] } };
      assert.deepEqual(all.account_statz.map(({ acc }) => acc).sort(), ['A', 'B', 'SYS']);
      const { data: one } = (await ask('s', '$SYS.REQ.ACCOUNT.PING.STATZ', { accounts: ['B'] })) as {
        data: { account_statz: Json[] };
      };
      assert.deepEqual(
        one.account_statz.map(({ acc }) => acc),
        ['B'],
      );
    });

    test('a client asks who it is, and about its own account only', async () => {
      assert.deepEqual((await ask('a', '$SYS.REQ.USER.INFO'))['data'], { user: 'a', account: 'A', account_name: 'A' });
      assert.deepEqual((await ask('b', '$SYS.REQ.USER.INFO'))['data'], {
        user: 'b',
        account: 'B',
        account_name: 'B',
        permissions: { publish: { allow: ['x', '$SYS.>'] }, subscribe: { deny: ['no.*'] } },
      });
      for (const subject of ['$SYS.REQ.ACCOUNT.PING.CONNZ', '$SYS.REQ.SERVER.PING.CONNZ']) {
        const { data } = (await ask('a', subject)) as { data: { connections: Json[] } };
        assert.deepEqual(
          data.connections.map(({ name }) => name),
          ['client a'],
          subject,
        );
      }
      const { data } = (await ask('a', '$SYS.REQ.ACCOUNT.PING.STATZ')) as { data: { account_statz: Json[] } };
      assert.deepEqual(
        data.account_statz.map(({ acc }) => acc),
        ['A'],
      );
    });

    test('the system account hears of clients that come and go', async () => {
      const events = client('s').subscribe('$SYS.ACCOUNT.A.>');
      await client('s').flush();
      const guest = await join('a');
      await guest.flush();
      await guest.close();
      const kinds: string[] = [];
      for await (const message of events) {
        const event = message.json<Json & { client?: Json; conns?: number }>();
        kinds.push(`${message.subject} ${String(event['type'])} ${event.conns ?? ''}`);
        if (event.client !== undefined) {
          assert.equal(event.client['user'], 'a');
          assert.equal(event.client['acc'], 'A');
          assert.equal(event.client['client_type'], 'nats');
        }
        if (message.subject.endsWith('DISCONNECT')) {
          assert.equal(event['reason'], 'Client Closed');
          assert.deepEqual(event['sent'], { msgs: 0, bytes: 0 });
          break;
        }
      }
      events.unsubscribe();
      const type = 'io.nats.server.advisory.v1.';
      assert.deepEqual(kinds, [
        `$SYS.ACCOUNT.A.SERVER.CONNS ${type}account_connections 2`,
        `$SYS.ACCOUNT.A.CONNECT ${type}client_connect `,
        `$SYS.ACCOUNT.A.SERVER.CONNS ${type}account_connections 1`,
        `$SYS.ACCOUNT.A.DISCONNECT ${type}client_disconnect `,
      ]);
    });

    test('the system account hears of clients that are not let in, as of the global account', async () => {
      const events = client('s').subscribe('$SYS.>');
      await client('s').flush();
      await assert.rejects(connect({ servers: `127.0.0.1:${server.port}`, user: 'who', pass: 'x', reconnect: false }));
      const heard: string[] = [];
      for await (const { subject } of events) {
        if (!subject.includes('AUTH.ERR') && !subject.includes('DISCONNECT')) continue;
        heard.push(subject.replace(/N[A-Z2-7]{55}/, 'ID'));
        if (heard.length === 2) break;
      }
      assert.deepEqual(heard.sort(), ['$SYS.ACCOUNT.$G.DISCONNECT', '$SYS.SERVER.ID.CLIENT.AUTH.ERR']);
    });
  });
}
