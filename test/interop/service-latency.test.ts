/**
 * Services whose exports want to hear how long requests take, on both servers: answered, not awaited, not taken, too late, given up, and chosen
 * by the headers of tracing systems.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { ServerProcess } from '../support/server.ts';
import { targets } from './servers.ts';

const config = `
server_name: srv
accounts {
  A {
    users: [ { user: a, password: x } ]
    exports: [
      { service: always, latency: { sampling: 100%, subject: times } }
      { service: traced, latency: { sampling: headers, subject: times } }
      { service: slow, response_threshold: "100ms", latency: times }
    ]
  }
  B {
    users: [ { user: b, password: x } ]
    imports: [
      { service: { account: A, subject: always } }, { service: { account: A, subject: slow } }
      { service: { account: A, subject: traced }, share: true }
    ]
  }
}`;

type Members = Record<string, unknown>;

interface Measure extends Members {
  readonly status: number;
  readonly description?: string;
  readonly requestor: Members;
  readonly responder?: Members;
  readonly header?: Members;
  readonly service: number;
  readonly total: number;
}

for (const { kind, skip } of targets) {
  describe(`measured services of ${kind}`, { skip }, () => {
    let server: ServerProcess;
    let service: NatsConnection;
    let asker: NatsConnection;
    let measures: AsyncIterator<Msg>;

    const join = (user: string, name: string): Promise<NatsConnection> =>
      connect({ servers: `127.0.0.1:${server.port}`, user, pass: 'x', name });
    const next = async (): Promise<Measure> => ((await measures.next()).value as Msg).json<Measure>();
    const answers = async (subject: string): Promise<() => Promise<void>> => {
      const subscription = service.subscribe(subject, { callback: (_error, message) => void message.respond('y') });
      await service.flush();
      return async () => {
        subscription.unsubscribe();
        await service.flush();
      };
    };

    before(async () => {
      server = await ServerProcess.start(kind, { config });
      service = await join('a', 'service');
      asker = await join('b', 'asker');
      measures = service.subscribe('times')[Symbol.asyncIterator]();
      await service.flush();
    });
    after(async () => {
      await Promise.all([service.close(), asker.close()]);
      await server.kill();
    });

    test('tells who answered and how long everything took, and of who asked only the account', async () => {
      const stop = await answers('always');
      await asker.request('always', 'x');
      const told = await next();
      const { type, id, timestamp, start, status, requestor, responder, service: served, system, total, ...rest } = told;
      assert.deepEqual([type, status, rest], ['io.nats.server.metric.v1.service_latency', 200, {}]);
      for (const text of [id, timestamp, start]) assert.equal(typeof text, 'string');
      assert.deepEqual(Object.keys(requestor), ['acc', 'rtt']);
      assert.deepEqual(
        [responder?.['acc'], responder?.['user'], responder?.['name'], responder?.['id'], responder?.['kind']],
        ['A', 'a', 'service', service.info?.client_id, 'Client'],
      );
      assert.ok(served >= 0 && Number(system) >= 0 && total >= Number(requestor['rtt']));
      await stop();
    });

    test('tells of requests that nobody took, or that await no reply', async () => {
      await assert.rejects(asker.request('always', 'x'), /no responders/i);
      const refused = await next();
      assert.deepEqual([refused.status, refused.description, refused.responder], [503, 'Service Unavailable', undefined]);
      const stop = await answers('always');
      asker.publish('always', 'x');
      const { status, description, requestor, service: served, total } = await next();
      assert.deepEqual([status, description, served, total], [400, 'Bad Request', 0, 0]);
      assert.equal(requestor['acc'], 'B');
      await stop();
    });

    test('tells of requests that were not answered in time', async () => {
      service.subscribe('slow', { callback: () => {} });
      await service.flush();
      asker.subscribe('late');
      asker.publish('slow', 'x', { reply: 'late' });
      const { status, description } = await next();
      assert.deepEqual([status, description], [504, 'Service Timeout']);
    });

    test('tells of requestors who listen no more, or are gone', async () => {
      const silent = service.subscribe('always', { callback: () => {} });
      await service.flush();
      const inbox = createInbox();
      const waits = asker.subscribe(inbox);
      asker.publish('always', 'x', { reply: inbox });
      waits.unsubscribe();
      const lost = await next();
      assert.deepEqual([lost.status, lost.description, lost.requestor['acc']], [408, 'Request Timeout', 'B']);
      const leaves = await join('b', 'leaves');
      leaves.subscribe('here');
      leaves.publish('always', 'x', { reply: 'here' });
      await leaves.flush();
      await leaves.close();
      assert.equal((await next()).status, 408);
      silent.unsubscribe();
      await service.flush();
    });

    test('measures what the headers of tracing systems ask for, and tells those headers', async () => {
      const stop = await answers('traced');
      const ask = async (...sent: readonly (readonly [string, string])[]): Promise<void> => {
        const block = headers();
        for (const [name, value] of sent) block.append(name, value);
        await asker.request('traced', 'x', { headers: block, timeout: patienceMs });
      };
      const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7';
      await ask(['traceparent', `${parent}-00`]);
      await ask(['b3', '0']);
      await ask(['X-B3-Sampled', '0'], ['X-B3-TraceId', '1']);
      await ask(['uber-trace-id', 'a:b:c:0']);
      await ask(['traceparent', `${parent}-01`], ['tracestate', 'a=b'], ['other', '1']);
      const first = await next();
      assert.deepEqual(first.header, { Traceparent: [`${parent}-01`], Tracestate: ['a=b'] });
      assert.deepEqual([first.requestor['name'], first.requestor['user']], ['asker', 'b']);
      await ask(['uber-trace-id', 'a:b:c:3'], ['uberctx-k', 'v']);
      assert.deepEqual((await next()).header, { 'Uber-Trace-Id': ['a:b:c:3'], 'Uberctx-K': ['v'] });
      await ask(['X-B3-TraceId', '1'], ['X-B3-SpanId', '2']);
      assert.deepEqual((await next()).header, { 'X-B3-Spanid': ['2'], 'X-B3-Traceid': ['1'] });
      await ask(['b3', 'a-b-1-c']);
      assert.deepEqual((await next()).header, { B3: ['a-b-1-c'] });
      await stop();
    });
  });
}
