/**
 * Traces of messages that go to other accounts, and of messages that a tracing system marks, on both servers: what is told of services and
 * streams depends on whether the export or the import allows it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { ServerProcess } from '../support/server.ts';
import { targets } from './servers.ts';

const config = `
server_name: srv
accounts {
  A {
    users: [ { user: a, password: x } ], trace_dest: { dest: marked, sampling: 100 }
    exports: [
      { service: closed }, { service: open, allow_trace: true }, { service: chain, allow_trace: true }, { stream: "st.>" }
    ]
    imports: [ { service: { account: D, subject: deep }, to: chain } ]
  }
  B {
    users: [ { user: b, password: x } ]
    imports: [
      { service: { account: A, subject: closed } }, { service: { account: A, subject: open }, to: mine }
      { service: { account: A, subject: chain } }, { stream: { account: A, subject: "st.>" }, prefix: p }
    ]
  }
  C { users: [ { user: c, password: x } ], imports: [ { stream: { account: A, subject: "st.>" }, allow_trace: true } ] }
  D { users: [ { user: d, password: x } ], exports: [ { service: deep, allow_trace: true } ] }
}`;

type Event = Readonly<Record<string, unknown>>;
interface Heard {
  readonly by: string;
  readonly subject: string;
  readonly destination: string | undefined;
}

for (const { kind, skip } of targets) {
  describe(`message traces between accounts of ${kind}`, { skip }, () => {
    let server: ServerProcess;
    const clients = new Map<string, NatsConnection>();
    const traces = new Map<string, AsyncIterator<Msg>>();
    const heard: Heard[] = [];
    const of = (user: string): NatsConnection => clients.get(user) ?? assert.fail(user);

    before(async () => {
      server = await ServerProcess.start(kind, { config });
      const subjects = { a: ['closed', 'open', 'st.1'], b: ['p.st.1'], c: ['st.*'], d: ['deep'] };
      for (const [user, own] of Object.entries(subjects)) {
        const client = await connect({ servers: `127.0.0.1:${server.port}`, name: user, user, pass: 'x' });
        clients.set(user, client);
        for (const subject of own)
          client.subscribe(subject, {
            callback: (_error, message) =>
              void heard.push({ by: user, subject: message.subject, destination: message.headers?.get('Nats-Trace-Dest') }),
          });
        await client.flush();
      }
      traces.set('b', of('b').subscribe('told')[Symbol.asyncIterator]());
      for (const subject of ['told', 'marked']) traces.set(subject, of('a').subscribe(subject)[Symbol.asyncIterator]());
      for (const client of clients.values()) await client.flush();
    });
    after(async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
      await server.kill();
    });

    async function trace(user: string, subject: string, sent: Record<string, string>, told: string): Promise<Event[]> {
      heard.length = 0;
      const block = headers();
      for (const [name, value] of Object.entries(sent)) block.set(name, value);
      of(user).publish(subject, 'x', { headers: block });
      const next = (await traces.get(told)?.next())?.value as Msg;
      for (const client of clients.values()) await client.flush();
      const { events } = next.json<{ events: Event[] }>();
      return events.map(({ ts: _ts, cid: _cid, kind: _kind, ...event }) => event);
    }
    const dest = { 'Nats-Trace-Dest': 'told' };
    const only = { ...dest, 'Nats-Trace-Only': 'true' };
    const arrival = (user: string, subj: string): Event => ({ type: 'in', name: user, acc: user.toUpperCase(), subj });
    const egress = (user: string, sub: string, acc = user.toUpperCase()): Event => ({ type: 'eg', name: user, acc, sub });

    test('a service that does not allow it ends the trace, and hears that', async () => {
      const events = [arrival('b', 'closed'), { type: 'si', acc: 'A', from: 'closed', to: 'closed' }];
      assert.deepEqual(await trace('b', 'closed', dest, 'b'), events);
      assert.deepEqual(heard, [{ by: 'a', subject: 'closed', destination: 'trace disabled' }]);
      assert.deepEqual(await trace('b', 'closed', only, 'b'), events);
      assert.deepEqual(heard, []);
    });

    test('a service that allows it is followed, through further accounts', async () => {
      const events = [arrival('b', 'mine'), { type: 'si', acc: 'A', from: 'mine', to: 'open' }, egress('a', 'open')];
      assert.deepEqual(await trace('b', 'mine', dest, 'b'), events);
      assert.match(heard[0]?.destination ?? '', /^_R_\./);
      assert.deepEqual(await trace('b', 'mine', only, 'b'), events);
      assert.deepEqual(heard, []);
      assert.deepEqual(await trace('b', 'chain', dest, 'b'), [
        arrival('b', 'chain'),
        { type: 'si', acc: 'A', from: 'chain', to: 'chain' },
        { type: 'si', acc: 'D', from: 'chain', to: 'deep' },
        egress('d', 'deep'),
      ]);
      assert.deepEqual(
        heard.map(({ by }) => by),
        ['d'],
      );
    });

    const byType = (events: readonly Event[]): string[] =>
      events.map(({ type, acc, to, sub }) => `${String(type)} ${String(acc)} ${String(to ?? sub)}`).sort();
    const streamEvents = ['eg C st.*', 'eg undefined st.1', 'in A undefined', 'se B p.st.1', 'se C st.1'];

    test('an imported stream is told of, and who receives it where the import allows it', async () => {
      assert.deepEqual(byType(await trace('a', 'st.1', dest, 'told')), streamEvents);
      assert.deepEqual(heard.map(({ by, subject }) => `${by} ${subject}`).sort(), ['a st.1', 'b p.st.1', 'c st.1']);
      assert.deepEqual(byType(await trace('a', 'st.1', only, 'told')), streamEvents);
      assert.deepEqual(heard, []);
    });

    test('a message that a tracing system marks is traced where the account says where to', async () => {
      const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7';
      assert.deepEqual(byType(await trace('a', 'st.1', { TraceParent: `${parent}-01` }, 'marked')), streamEvents);
      assert.deepEqual(
        heard.map(({ destination }) => destination ?? ''),
        ['', '', ''],
      );
      const unmarked = headers();
      unmarked.set('traceparent', `${parent}-00`);
      of('a').publish('st.1', 'x', { headers: unmarked });
      assert.equal((await trace('a', 'st.1', { traceparent: `${parent}-03` }, 'marked')).length, 5);
    });

    test('a message of a server whose traces are not understood is not traced on', async () => {
      heard.length = 0;
      const block = headers();
      for (const [name, value] of [...Object.entries(dest), ['Nats-Trace-Origin-Account', 'X'] as const]) block.set(name, value);
      of('a').publish('open', 'x', { headers: block });
      await of('a').flush();
      assert.deepEqual(heard, [{ by: 'a', subject: 'open', destination: 'trace disabled' }]);
    });
  });
}
