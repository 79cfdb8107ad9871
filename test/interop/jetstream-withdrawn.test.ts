/**
 * An account that has JetStream no more, by a configuration reload or by new claims, on both servers: its streams stop at once, its API says
 * why, and when it has JetStream again what lay in files is there.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { serverFor } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { TestAccount, TestOperator, jetstreamLimits } from '../support/tokens.ts';
import { targets } from './servers.ts';
import { enter } from './signed-clients.ts';

type Document = Record<string, unknown> & { readonly error?: { readonly err_code: number } };

async function ask(client: NatsConnection, subject: string, body: object | string = ''): Promise<Document> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (await client.request(subject, text, { timeout: patienceMs })).json<Document>();
}

/** Asks until the account has JetStream, or has it no more. */
async function becomes(client: NatsConnection, on: boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const { error } = await ask(client, '$JS.API.INFO').catch((): Document => ({ error: { err_code: 0 } }));
    if (error === undefined ? on : !on && error.err_code === 10039) return;
  }
  assert.fail(on ? 'JetStream does not come back' : 'JetStream stays');
}

/** What the consumer has next; messages come under their own subjects, so that the request has a subscription of its own. */
async function next(client: NatsConnection): Promise<string> {
  const options = { noMux: true, timeout: patienceMs };
  return (await client.request('$JS.API.CONSUMER.MSG.NEXT.FILES.C', '{"batch":1,"no_wait":true}', options)).string();
}

/** `change` gives the account JetStream or takes it away. */
async function withdrawn(client: NatsConnection, change: (on: boolean) => Promise<void>): Promise<void> {
  await ask(client, '$JS.API.STREAM.CREATE.FILES', { name: 'FILES', subjects: ['f'] });
  await ask(client, '$JS.API.STREAM.CREATE.MEMORY', { name: 'MEMORY', subjects: ['m'], storage: 'memory' });
  const config = { durable_name: 'C', name: 'C', ack_policy: 'explicit' };
  await ask(client, '$JS.API.CONSUMER.CREATE.FILES.C', { stream_name: 'FILES', config });
  assert.equal((await ask(client, 'f', 'one'))['seq'], 1);
  assert.equal((await ask(client, 'm', 'one'))['seq'], 1);
  assert.equal(await next(client), 'one');

  await change(false);
  await becomes(client, false);
  assert.equal((await ask(client, '$JS.API.INFO')).error?.err_code, 10039);
  assert.equal((await ask(client, '$JS.API.STREAM.INFO.FILES')).error?.err_code, 10039);
  for (const subject of ['f', 'm', '$JS.API.CONSUMER.MSG.NEXT.FILES.C', '$JS.API.DIRECT.GET.FILES'])
    await assert.rejects(client.request(subject, 'two'), /no responders/i, subject);

  await change(true);
  await becomes(client, true);
  assert.deepEqual((await ask(client, '$JS.API.STREAM.NAMES'))['streams'], ['FILES']);
  assert.equal((await ask(client, 'f', 'two'))['seq'], 2);
  assert.equal(await next(client), 'two');
}

for (const { kind, skip } of targets) {
  describe(`JetStream taken from an account of ${kind}`, { skip }, () => {
    test('by a reload', async (context) => {
      const folder = temporaryFolder();
      const config = (on: boolean): string => `
        jetstream { store_dir: "${folder}" }
        accounts {
          A { ${on ? 'jetstream: enabled, ' : ''}users: [ { user: a, password: a } ] }
          B { jetstream: enabled, users: [ { user: b, password: b } ] }
        }`;
      const server = await serverFor(context, kind, { config: config(true) });
      const client = await connect({ servers: server.url, user: 'a', pass: 'a' });
      await withdrawn(client, async (on) => {
        server.writeConfig(config(on));
        server.signal('SIGHUP');
        await becomes(client, on);
      });
      await client.close();
    });

    test('by claims', async (context) => {
      const operator = new TestOperator();
      const sys = new TestAccount(operator, 'SYS');
      const a = new TestAccount(operator, 'A');
      const server = await serverFor(context, kind, {
        config: `
          jetstream { store_dir: "${temporaryFolder()}" }
          operator: ${operator.jwt({ system_account: sys.key })}
          resolver: MEMORY
          resolver_preload: { ${sys.key}: ${sys.jwt()}, ${a.key}: ${a.jwt({}, jetstreamLimits)} }`,
      });
      const system = await enter(server, sys.user());
      const client = await enter(server, a.user());
      await withdrawn(client, async (on) => {
        const claims = a.jwt({}, on ? jetstreamLimits : {});
        await system.request(`$SYS.REQ.ACCOUNT.${a.key}.CLAIMS.UPDATE`, claims);
      });
      await Promise.all([system.close(), client.close()]);
    });
  });
}
