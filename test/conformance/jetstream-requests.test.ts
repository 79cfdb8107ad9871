/**
 * What becomes of JetStream API requests before anybody handles them: those of the system account, and those that are too many; and of messages
 * beyond what an account may store.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '@nats-io/transport-node';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { serverFor, type ServerProcess } from '../support/server.ts';
import { until } from '../support/until.ts';

const config = (more: string): string => `
  jetstream { store_dir: js, domain: hub${more} }
  accounts {
    A { jetstream: enabled, users: [ { user: a, password: a } ] }
    SYS { users: [ { user: s, password: s } ] }
  }
  system_account: SYS`;

function asUser(server: ServerProcess, user: string): Promise<NatsConnection> {
  return connect({ servers: `127.0.0.1:${server.port}`, user, pass: user, reconnect: false });
}

test('the system account is told that it has no JetStream, whatever it asks', async (context) => {
  const server = await serverFor(context, 'slipstream', { config: config('') });
  const system = await asUser(server, 's');
  try {
    const asked = async (subject: string): Promise<{ type: string; error: { err_code: number } }> =>
      (await system.request(subject)).json();
    for (const rest of ['FOO.BAR', 'STREAM.NAMES', 'CONSUMER.MSG.NEXT.S.C', 'DIRECT.GET.S']) {
      const { type, error } = await asked(`$JS.API.${rest}`);
      assert.deepEqual([type, error.err_code], ['io.nats.jetstream.api.v1.system_response', 10039], rest);
    }
    assert.equal((await asked('$JS.API.INFO')).type, 'io.nats.jetstream.api.v1.account_info_response');
  } finally {
    await system.close();
  }
});

test('requests beyond the limit are dropped, and the system account hears of it', async (context) => {
  const server = await serverFor(context, 'slipstream', { config: config(', request_queue_limit: 5') });
  const [system, client] = await Promise.all([asUser(server, 's'), asUser(server, 'a')]);
  try {
    const advised = new Promise<Msg>((resolve) => {
      system.subscribe('$JS.EVENT.ADVISORY.API.LIMIT_REACHED', { max: 1, callback: (_, message) => resolve(message) });
    });
    await system.flush();
    let answers = 0;
    client.subscribe('in', { callback: () => void answers++ });
    for (let n = 0; n < 40; n++)
      client.publish(`$JS.API.STREAM.CREATE.S${n}`, JSON.stringify({ name: `S${n}`, storage: 'file' }), { reply: 'in' });
    await client.flush();
    const { id, timestamp, ...advisory } = (await advised).json<Record<string, unknown>>();
    assert.deepEqual(advisory, {
      type: 'io.nats.jetstream.advisory.v1.api_limit_reached',
      server: /Name: +(\S+)/.exec(server.log)?.[1],
      domain: 'hub',
      dropped: 35,
    });
    assert.ok(typeof id === 'string' && typeof timestamp === 'string');
    await server.waitForLog(/\[WRN\] JetStream API queue limit reached, dropping 35 requests/);
    const { streams } = (await client.request('$JS.API.STREAM.NAMES')).json<{ streams: string[] }>();
    assert.equal(streams.length, 5);
    await until(() => answers === 5);
  } finally {
    await Promise.all([system.close(), client.close()]);
  }
});

test('what an account may not store any more is refused, and the log says so', async (context) => {
  const limited = config('').replace('jetstream: enabled', 'jetstream: { max_mem: 100KB }');
  const server = await serverFor(context, 'slipstream', { config: limited });
  const client = await asUser(server, 'a');
  try {
    await client.request('$JS.API.STREAM.CREATE.M', JSON.stringify({ name: 'M', subjects: ['m'], storage: 'memory' }));
    const answers: string[] = [];
    for (let n = 0; n < 8; n++) answers.push((await client.request('m', 'x'.repeat(30_000))).string());
    assert.match(answers[0] ?? '', /"seq":1/);
    for (const answer of answers.slice(4))
      assert.match(answer, /"err_code":10002,"description":"resource limits exceeded for account"/);
    await server.waitForLog(/\[WRN\] JetStream memory resource limits exceeded for account: "A"/);
  } finally {
    await client.close();
  }
});

test('advisories of backups and restores tell who asked', async (context) => {
  const server = await serverFor(context, 'slipstream', { config: config('') });
  const client = await connect({ servers: `127.0.0.1:${server.port}`, user: 'a', pass: 'a', name: 'keeper', reconnect: false });
  try {
    const told: unknown[] = [];
    client.subscribe('$JS.EVENT.ADVISORY.STREAM.>', {
      callback: (_, message) => {
        const { client: who } = message.json<{ client?: { acc: string; name: string; host: string; kind: string } }>();
        if (who !== undefined) told.push([message.subject.split('.')[4], who.acc, who.name, who.host, who.kind]);
      },
    });
    await client.request('$JS.API.STREAM.CREATE.S', JSON.stringify({ name: 'S', subjects: ['s'] }));
    client.subscribe('backup', { callback: () => undefined });
    await client.request('$JS.API.STREAM.SNAPSHOT.S', JSON.stringify({ deliver_subject: 'backup' }));
    await until(() => told.length === 2);
    const answer = await client.request('$JS.API.STREAM.RESTORE.R', JSON.stringify({ config: { name: 'R' } }));
    await client.request(answer.json<{ deliver_subject: string }>().deliver_subject);
    await until(() => told.length === 4);
    assert.deepEqual(
      told,
      ['SNAPSHOT_CREATE', 'SNAPSHOT_COMPLETE', 'RESTORE_CREATE', 'RESTORE_COMPLETE'].map((event) => [
        event,
        'A',
        'keeper',
        '127.0.0.1',
        'Client',
      ]),
    );
  } finally {
    await client.close();
  }
});
