/**
 * An account without JetStream whose clients ask the domain of another account by default, on both servers: streams are made there, and a request is
 * answered once.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { skipWithout } from '../support/peers.ts';
import { serverFor, type ServerKind } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { WireClient } from '../support/wire.ts';

const kinds: ReadonlyArray<readonly [ServerKind, string | false]> = [
  ['slipstream', false],
  ['nats-server', skipWithout('nats-server')],
];

const config = (directory: string): string => `
jetstream { domain: hub, store_dir: "${directory}" }
accounts {
  A: { jetstream: enabled, users: [{user: a, password: a}], exports: [{service: "$JS.hub.API.>"}] }
  B: { users: [{user: b, password: b}], imports: [{service: {account: A, subject: "$JS.hub.API.>"}}] }
  C: { users: [{user: c, password: c}] }
}
default_js_domain { B: hub }
`;

async function asked(port: number, user: string, requests: readonly string[]): Promise<string[]> {
  const { client } = await WireClient.greeted(port);
  await client.write(`CONNECT {"verbose":false,"user":"${user}","pass":"${user}"}\r\nSUB in 1\r\n`);
  const answers: string[] = [];
  for (const request of requests) {
    await client.write(request);
    await client.line();
    answers.push(await client.line());
  }
  assert.equal(await client.sync(), '', 'each request has one answer');
  client.destroy();
  return answers;
}

for (const [kind, skip] of kinds) {
  describe(`default domains of ${kind}`, { skip }, () => {
    test('clients without JetStream use that of the domain', async (t) => {
      const server = await serverFor(t, kind, { config: config(temporaryFolder()) });
      const create = '{"name":"S","subjects":["s"]}';
      const names = 'PUB $JS.API.STREAM.NAMES in 0\r\n\r\n';
      const requests = [
        'PUB $JS.API.INFO in 0\r\n\r\n',
        `PUB $JS.API.STREAM.CREATE.S in ${create.length}\r\n${create}\r\n`,
        names,
      ];
      const [info = '', created = '', listed = ''] = await asked(server.port, 'b', requests);
      assert.match(info, /"domain":"hub"/);
      assert.match(created, /"did_create":true/);
      assert.match(listed, /"streams":\["S"\]/);
      assert.match((await asked(server.port, 'c', [names])).join(), /"err_code":10039/);
    });
  });
}
