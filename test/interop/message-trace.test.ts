/**
 * Messages that ask for their way to be told (`Nats-Trace-Dest`), on both servers: who received them, which stream took them, and with
 * `Nats-Trace-Only` who would have.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, headers, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { ServerProcess } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { targets } from './servers.ts';

const config = (folder: string): string => `
server_name: srv
jetstream { store_dir: "${folder}" }
mappings { "old.*": "new.{{wildcard(1)}}" }
authorization {
  users: [ { user: publisher, password: x }, { user: receiver, password: x, permissions: { publish: "a.>" } } ]
}`;

interface Trace {
  readonly server: { readonly name: string };
  readonly request: { readonly header: Record<string, string[]>; readonly msgsize: number };
  readonly events: (Record<string, unknown> & { readonly type: string; readonly ts: string })[];
}

for (const { kind, skip } of targets) {
  describe(`message traces of ${kind}`, { skip }, () => {
    let server: ServerProcess;
    let publisher: NatsConnection;
    let receiver: NatsConnection;
    let traces: AsyncIterator<Msg>;
    const heard: string[] = [];

    before(async () => {
      server = await ServerProcess.start(kind, { config: config(temporaryFolder()) });
      const join = (name: string): Promise<NatsConnection> =>
        connect({ servers: `127.0.0.1:${server.port}`, name, user: name, pass: 'x' });
      publisher = await join('publisher');
      receiver = await join('receiver');
      traces = publisher.subscribe('trace.here')[Symbol.asyncIterator]();
      const listen = (subject: string, queue = ''): Subscription =>
        receiver.subscribe(subject, { queue, callback: (_error, message) => void heard.push(`${subject} ${message.string()}`) });
      for (const subject of ['a.b', 'a.*', 'new.x']) listen(subject);
      for (const queue of ['q', 'q', 'other']) listen('a.b', queue);
      const request = JSON.stringify({ name: 'S', subjects: ['s.>'], max_msg_size: 200 });
      await publisher.request('$JS.API.STREAM.CREATE.S', request);
      await receiver.flush();
    });
    after(async () => {
      await Promise.all([publisher.close(), receiver.close()]);
      await server.kill();
    });

    async function trace(subject: string, extra: Record<string, string> = {}, payload = 'x'): Promise<Trace> {
      heard.length = 0;
      const asked = headers();
      for (const [name, value] of Object.entries({ 'Nats-Trace-Dest': 'trace.here', ...extra })) asked.set(name, value);
      publisher.publish(subject, payload, { headers: asked });
      const next = await traces.next();
      await receiver.flush();
      return (next.value as Msg).json<Trace>();
    }

    /** The events without their times; who received in order of subscription. */
    const shown = ({ events }: Trace): unknown[] => {
      const plain = events.map(({ ts: _time, ...event }) => event);
      const rank = (event: object): string =>
        'queue' in event ? `2${String(event.queue)}` : 'sub' in event ? `1${String(event.sub)}` : '0';
      return plain.sort((one, other) => rank(one).localeCompare(rank(other)));
    };
    const arrival = (subj: string): object => ({
      type: 'in',
      kind: 0,
      cid: publisher.info?.client_id,
      name: 'publisher',
      acc: '$G',
      subj,
    });
    const egress = (sub: string, queue?: string): object => {
      const to = { type: 'eg', kind: 0, cid: receiver.info?.client_id, name: 'receiver', sub };
      return queue === undefined ? to : { ...to, queue };
    };

    test('tells who received a message, of each queue group one', async () => {
      const told = await trace('a.b');
      assert.equal(told.server.name, 'srv');
      assert.deepEqual(told.request, { header: { 'Nats-Trace-Dest': ['trace.here'] }, msgsize: 42 });
      assert.deepEqual(shown(told), [arrival('a.b'), egress('a.*'), egress('a.b'), egress('a.b', 'other'), egress('a.b', 'q')]);
      assert.deepEqual(heard.sort(), ['a.* x', 'a.b x', 'a.b x', 'a.b x']);
    });

    test('tells who would receive one that is only traced', async () => {
      for (const word of ['true', '1', 'On']) {
        const told = await trace('a.c', { 'Nats-Trace-Only': word });
        assert.deepEqual(shown(told), [arrival('a.c'), egress('a.*')], word);
        assert.deepEqual(heard, []);
      }
      assert.deepEqual(shown(await trace('nobody.here', { 'Nats-Trace-Only': 'false' })), [arrival('nobody.here')]);
    });

    test('tells what a mapping made of the subject', async () => {
      assert.deepEqual(shown(await trace('old.x')), [arrival('old.x'), { type: 'sm', to: 'new.x' }, egress('new.x')]);
      assert.deepEqual(heard, ['new.x x']);
    });

    test('tells which stream stored a message, or why it did not', async () => {
      const last = async (): Promise<number> => {
        const { state } = (await publisher.request('$JS.API.STREAM.INFO.S')).json<{ state: { last_seq: number } }>();
        return state.last_seq;
      };
      assert.deepEqual(shown(await trace('s.1')), [arrival('s.1'), { type: 'js', stream: 'S', subject: 's.1' }]);
      assert.equal(await last(), 1);
      const stored = (await publisher.request('$JS.API.STREAM.MSG.GET.S', '{"seq":1}')).json<{ message: { hdrs: string } }>();
      assert.match(Buffer.from(stored.message.hdrs, 'base64').toString(), /\r\nNats-Trace-Dest: trace disabled\r\n/);
      assert.deepEqual(shown(await trace('s.1', { 'Nats-Trace-Only': 'true' })), [
        arrival('s.1'),
        { type: 'js', stream: 'S', subject: 's.1' },
      ]);
      assert.deepEqual(shown(await trace('s.1', { 'Nats-Expected-Stream': 'T' })), [
        arrival('s.1'),
        { type: 'js', stream: 'S', error: 'expected stream does not match' },
      ]);
      assert.equal(await last(), 1);
      await publisher.request(
        '$JS.API.STREAM.CREATE.I',
        JSON.stringify({ name: 'I', subjects: ['i.*'], retention: 'interest', storage: 'memory' }),
      );
      assert.deepEqual(shown(await trace('i.1')), [
        arrival('i.1'),
        { type: 'js', stream: 'I', subject: 'i.1', nointerest: true },
      ]);
    });

    test('a message whose trace can go nowhere is a message like others, unless it was only to be traced', async () => {
      heard.length = 0;
      for (const [payload, word] of [
        ['y', ''],
        ['z', 'true'],
      ] as const) {
        const asked = headers();
        asked.set('Nats-Trace-Dest', 'no..subject');
        if (word !== '') asked.set('Nats-Trace-Only', word);
        publisher.publish('a.c', payload, { headers: asked });
      }
      await publisher.flush();
      await receiver.flush();
      assert.deepEqual(heard, ['a.* y']);
    });

    test('a client that may not publish to where the trace should go is told so, and nothing is delivered', async () => {
      heard.length = 0;
      const asked = headers();
      asked.set('Nats-Trace-Dest', 'trace.here');
      const problem = (async () => {
        for await (const status of receiver.status()) if (status.type === 'error') return status.error.message;
        return '';
      })();
      receiver.publish('a.c', 'y', { headers: asked });
      assert.match(await problem, /Permissions Violation for Publish to "trace.here"/i);
      await receiver.flush();
      assert.deepEqual(heard, []);
    });
  });
}
