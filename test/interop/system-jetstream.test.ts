/**
 * JetStream's API as the system account meets it: refused, because it has none, except for the order to delete what an account stored.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { ServerProcess } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { targets } from './servers.ts';

const config = (folder: string): string => `
jetstream { store_dir: "${folder}" }
system_account: SYS
accounts {
  SYS { users: [ { user: s, password: s } ] }
  A { jetstream: enabled, users: [ { user: a, password: a } ] }
  B { jetstream: enabled, users: [ { user: b, password: b } ] }
}`;

for (const { kind, skip } of targets) {
  describe(`JetStream and the system account of ${kind}`, { skip }, () => {
    let server: ServerProcess;
    const clients: NatsConnection[] = [];

    before(async () => {
      server = await ServerProcess.start(kind, { config: config(temporaryFolder()) });
      for (const user of ['s', 'a', 'b']) clients.push(await connect({ servers: `127.0.0.1:${server.port}`, user, pass: user }));
    });
    after(async () => {
      await Promise.all(clients.map((one) => one.close()));
      await server.kill();
    });

    async function ask(client: NatsConnection | undefined, subject: string, body = ''): Promise<unknown> {
      assert.ok(client);
      return (await client.request(`$JS.API.${subject}`, body, { timeout: patienceMs })).json();
    }

    test('its own requests are refused', async () => {
      const error = { code: 503, err_code: 10039, description: 'JetStream not enabled for account' };
      for (const subject of ['INFO', 'STREAM.NAMES']) {
        assert.deepEqual(((await ask(clients[0], subject)) as { error: object }).error, error, subject);
      }
    });

    test('asked for what it stored, it answers that it has no JetStream', async () => {
      for (const [account, problem] of [
        ['SYS', 'not jetstream enabled'],
        ['NOBODY', 'not found'],
      ] as const) {
        const answer = await clients[0]?.request(`$SYS.REQ.ACCOUNT.${account}.JSZ`, '', { timeout: patienceMs });
        const { error } = answer?.json<{ error: { description: string } }>() ?? assert.fail();
        assert.equal(error.description, `account "${account}" ${problem}`);
      }
    });

    test('it has all streams of one account deleted', async () => {
      const [system, a, b] = clients;
      for (const client of [a, b])
        for (const name of ['ONE', 'TWO']) await ask(client, `STREAM.CREATE.${name}`, JSON.stringify({ name, subjects: [name] }));
      const type = 'io.nats.jetstream.api.v1.account_purge_response';
      assert.deepEqual(await ask(system, 'ACCOUNT.PURGE.A'), { type, initiated: true });
      assert.equal(((await ask(a, 'STREAM.NAMES')) as { total: number }).total, 0);
      assert.equal(((await ask(b, 'STREAM.NAMES')) as { total: number }).total, 2);
      assert.deepEqual(await ask(system, 'ACCOUNT.PURGE.NOBODY'), { type, initiated: true });
    });
  });
}
