// The embed API as a program uses it: servers of its own, driven by an official client.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { StartError, startServer } from '../../../ts/app/index.ts';
import { TestAccount, TestOperator } from '../../support/tokens.ts';

function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'slipstream-embed-'));
}

describe('a server inside a test', () => {
  it('serves clients on a free port and is gone when it is stopped', async () => {
    const server = await startServer();
    const client = await connect({ servers: server.url });
    const subscription = client.subscribe('greet', { max: 1, callback: (_error, message) => void message.respond('hello') });
    assert.equal((await client.request('greet')).string(), 'hello');
    assert.equal(subscription.getReceived(), 1);
    assert.equal(server.view.connections().length, 1);
    await client.close();
    await server.stop();
    await assert.rejects(connect({ servers: server.url, reconnect: false, timeout: 2000 }));
  });

  it('lives beside another one, neither hearing the other', async () => {
    const [one, two] = await Promise.all([startServer(), startServer()]);
    const [a, b] = await Promise.all([connect({ servers: one.url }), connect({ servers: two.url })]);
    await assert.rejects(async () => {
      b.subscribe('only.here', { callback: () => assert.fail('heard across servers') });
      await b.flush();
      await a.request('only.here', '', { timeout: 1000 });
    }, /no responders/i);
    await Promise.all([a.close(), b.close()]);
    await Promise.all([one.stop(), two.stop()]);
  });

  it('keeps its streams from one life to the next', async () => {
    const directory = temporary();
    const first = await startServer(['-js', '-sd', directory]);
    const writer = await connect({ servers: first.url });
    await (await jetstreamManager(writer)).streams.add({ name: 'KEPT', subjects: ['kept.>'] });
    assert.equal((await jetstream(writer).publish('kept.a', 'one')).seq, 1);
    await writer.close();
    await first.stop();
    const second = await startServer(['-js', '-sd', directory]);
    const reader = await connect({ servers: second.url });
    const message = await (await jetstreamManager(reader)).streams.getMessage('KEPT', { seq: 1 });
    assert.equal(message?.string(), 'one');
    await reader.close();
    await second.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('says what is wrong with what it was told, and leaves nothing running', async () => {
    const directory = temporary();
    const file = join(directory, 'bad.conf');
    writeFileSync(file, 'port: -1\nmax_paylod: 1\n');
    await assert.rejects(startServer(['-c', file]), (error: Error) => {
      assert.ok(error instanceof StartError);
      assert.match(error.message, /bad\.conf:2:\d+: unknown field "max_paylod"/);
      return true;
    });
    const taken = await startServer();
    await assert.rejects(startServer(['-p', String(taken.port)]), /port.*in use/i);
    await taken.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('that finds its port taken waits for nothing any more, whatever it waits for otherwise', async () => {
    const directory = temporary();
    const file = join(directory, 'operator.conf');
    const operator = new TestOperator();
    const system = new TestAccount(operator, 'SYS');
    const lines = [
      `operator: ${operator.jwt()}`,
      `system_account: ${system.key}`,
      `resolver: { type: full, dir: "${directory}/tokens", limit: 10, interval: "1h" }`,
    ];
    writeFileSync(file, lines.join('\n'));
    const taken = await startServer();
    const waiting = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = waiting();
    await assert.rejects(startServer(['-c', file, '-p', String(taken.port)]), /port.*in use/i);
    assert.equal(waiting(), before, 'timers');
    await taken.stop();
    rmSync(directory, { recursive: true, force: true });
  });
});
