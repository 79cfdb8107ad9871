/**
 * The oracle against nats-server: the same conversations, over real sockets, must give the same bytes.
 *
 * Steps go out one after another; a step ends with a PING whose answer says that everything before it has been done. A
 * hostile step is followed by the end of the stream, and by the server closing.
 */
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { connectFields, connectLine, hostileText, pattern, politeLine, subject, written } from './arbitraries.ts';
import type { Step } from './arbitraries.ts';
import { Broker, openRules } from './broker.ts';
import type { Identity, Rules } from './broker.ts';
import { effort, holdsInTime } from './check.ts';
import { RawConnection, findNatsServer, startRealServer } from './real_server.ts';
import type { RealServer } from './real_server.ts';
import { FirstChoice, ReceivedBytes } from './witness.ts';

const binary = findNatsServer();
const connections = [0, 1, 2];
const permitted = {
  account: 'A',
  password: 'a',
  permissions: {
    publish: { allow: ['a', 'a.>', 'b.*'], deny: ['a.b', 'a.*.c'] },
    subscribe: { allow: ['a.>', 'b.*', 'c q', '*.*', 'aa w'], deny: ['a.b', 'a.*.c', 'b.c q'] },
  },
};
const service = {
  account: 'A',
  password: 's',
  permissions: { publish: { allow: [], deny: ['>'] }, responses: { max: 2 } },
};
const free = { account: 'A', password: 'f', permissions: null };
const users = new Map<string, Identity & { password: string }>([
  ['a', permitted],
  ['s', service],
  ['f', free],
  ['b', { account: 'B', password: 'b', permissions: null }],
]);

const usersConfig = `
  accounts {
    A { users = [
      { user: a, password: a, permissions: {
        publish: { allow: ["a", "a.>", "b.*"], deny: ["a.b", "a.*.c"] },
        subscribe: { allow: ["a.>", "b.*", "c q", "*.*", "aa w"], deny: ["a.b", "a.*.c", "b.c q"] } } },
      { user: s, password: s, permissions: { publish: { deny: [">"] }, allow_responses: { max: 2, expires: "1m" } } },
      { user: f, password: f }
    ] }
    B { users = [ { user: b, password: b } ] }
  }`;

interface Played {
  /** Each step with the PING that was sent behind it, and whether the client went away after it. */
  readonly steps: readonly (Step & { readonly ends: boolean })[];
  readonly received: ReadonlyMap<number, string>;
}

const pongs = (text: string | undefined): number => (text ?? '').split('PONG\r\n').length;

/** nats-server reads a publish line again, and complains again, when its payload comes in a later read than the line. */
function once(answers: string): string {
  return answers.replaceAll(/(-ERR 'Invalid Publish Subject'\r\n)+/g, '$1');
}

/** Plays the steps on the server. Who cannot answer a PING any more hangs up. */
async function play(port: number, rules: Rules, given: readonly Step[]): Promise<Played> {
  const sockets = await Promise.all(connections.map(() => RawConnection.open(port)));
  const foreseen = new FirstChoice();
  const model = new Broker(rules, foreseen);
  for (const conn of connections) model.open(conn);
  const steps: (Step & { ends: boolean })[] = [];
  for (const { conn, text } of given) {
    const socket = sockets[conn];
    if (socket === undefined || model.connections.get(conn)?.open !== true) continue;
    const sent = `${text}PING\r\n`;
    const before = pongs(foreseen.received.get(conn));
    model.receive(conn, sent);
    const expected = pongs(foreseen.received.get(conn));
    const ends = expected === before || model.connections.get(conn)?.open !== true;
    steps.push({ conn, text: sent, ends });
    socket.send(sent);
    if (ends) {
      await socket.end();
      model.hangUp(conn);
    } else {
      await socket.until(() => pongs(socket.answers) >= expected);
    }
  }
  for (const socket of sockets) await socket.end();
  return { steps, received: new Map(sockets.map((socket, conn) => [conn, once(socket.answers)])) };
}

function judge(rules: Rules, { steps, received }: Played): void {
  const witness = new ReceivedBytes();
  for (const [conn, text] of received) witness.add(conn, text);
  const model = new Broker(rules, witness);
  for (const conn of connections) model.open(conn);
  for (const { conn, text, ends } of steps) {
    model.receive(conn, text);
    if (ends) model.hangUp(conn);
  }
  for (const conn of connections) witness.atEnd(conn);
}

const who = fc.constantFrom(...connections);
const logins = [...users].map(([user, { password }]) => ({ user, pass: password }));

function conversation(login: fc.Arbitrary<object>): fc.Arbitrary<Step[]> {
  const connects = fc.tuple(connectFields, login).map(([fields, as]) => connectLine({ ...fields, headers: true, ...as }));
  const opening = fc.tuple(connects, connects, connects).map((texts) => texts.map((text, conn) => ({ conn, text })));
  const lines = fc.array(fc.record({ conn: who, line: politeLine(true, connects) }), { maxLength: 30 });
  return fc.tuple(opening, lines).map(([first, rest]) => [...first, ...written(rest)]);
}

describe('the oracle', { skip: binary === null ? 'nats-server is not installed' : false }, () => {
  let open: RealServer;
  let guarded: RealServer;
  const guardedRules: Rules = { ...openRules, maxSubscriptions: 3, maxSubjectTokens: 5, users };

  before(async () => {
    open = await startRealServer(binary ?? '', '');
    guarded = await startRealServer(binary ?? '', `max_subscriptions: 3\nmax_subscription_tokens: 5\n${usersConfig}`);
  });
  after(async () => {
    await Promise.all([open.stop(), guarded.stop()]);
  });

  test('gives the bytes nats-server gives in polite conversations', async () => {
    const steps = conversation(fc.constant({}));
    await holdsInTime(
      fc.asyncProperty(steps, async (given) => judge(openRules, await play(open.port, openRules, given))),
      effort(60),
    );
  });

  test('gives the bytes nats-server gives to connections that never said CONNECT', async () => {
    const steps = fc.array(fc.record({ conn: who, line: politeLine(false, null) }), { maxLength: 20 }).map(written);
    await holdsInTime(
      fc.asyncProperty(steps, async (given) => judge(openRules, await play(open.port, openRules, given))),
      effort(60),
    );
  });

  test('closes on what nats-server closes on, with the same last words', async () => {
    const hostile = fc.tuple(conversation(fc.constant({})), who, hostileText, conversation(fc.constant({})));
    await holdsInTime(
      fc.asyncProperty(hostile, async ([before, conn, text, behind]) => {
        const steps = [...before.slice(0, 8), { conn, text }, ...behind.slice(3, 10)];
        judge(openRules, await play(open.port, openRules, steps));
      }),
      effort(60 * 3),
    );
  });

  test('keeps accounts apart and judges permissions as nats-server does', async () => {
    const steps = conversation(fc.constantFrom(...logins, { user: 'a', pass: 'wrong' }, {}));
    const known = conversation(fc.constantFrom(...logins));
    await holdsInTime(
      fc.asyncProperty(fc.oneof({ weight: 1, arbitrary: steps }, { weight: 4, arbitrary: known }), async (given) =>
        judge(guardedRules, await play(guarded.port, guardedRules, given)),
      ),
      effort(60 * 2),
    );
  });

  test('judges every subject a permitted user asks for', async () => {
    const asks = fc.array(fc.tuple(fc.constantFrom('PUB', 'SUB', 'QSUB'), subject, pattern, fc.constantFrom('q', 'w')), {
      maxLength: 30,
    });
    await holdsInTime(
      fc.asyncProperty(asks, async (given) => {
        const steps = [
          { conn: 0, text: connectLine({ user: 'a', pass: 'a', verbose: true, pedantic: false }) },
          ...given.map(([verb, to, over, queue], index) => {
            if (verb === 'PUB') return { conn: 0, text: `PUB ${to} 4\r\n<${index % 10}>.\r\n` };
            return { conn: 0, text: `SUB ${over} ${verb === 'SUB' ? '' : `${queue} `}${index}\r\nUNSUB ${index}\r\n` };
          }),
        ];
        judge(guardedRules, await play(guarded.port, guardedRules, steps));
      }),
      effort(60),
    );
  });
});
