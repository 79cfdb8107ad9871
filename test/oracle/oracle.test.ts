/**
 * The oracle against nats-server: the same conversations, over real sockets, must give the same bytes.
 *
 * Steps go out one after another; a step ends with a PING whose answer says that everything before it has been done. A
 * hostile step is followed by the end of the stream, and by the server closing.
 */
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Step } from './arbitraries.ts';
import { Broker } from './broker.ts';
import { openRules } from './rules.ts';
import type { Rules } from './rules.ts';
import { effort, holdsInTime } from './check.ts';
import { asking, connections, guarded, guardedConfig, guardedRules, hostile, polite, unannounced } from './conversations.ts';
import { RawConnection } from './raw-connection.ts';
import { skipWithout } from '../support/peers.ts';
import { ServerProcess } from '../support/server.ts';
import { FirstChoice, ReceivedBytes } from './witness.ts';

/** For a conversation on which the server is silent: each smaller one takes its patience, too. */
const SECONDS = 120;

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

describe('the oracle', { skip: skipWithout('nats-server') }, () => {
  let open: ServerProcess;
  let withUsers: ServerProcess;

  before(async () => {
    const start = (config: string): Promise<ServerProcess> => ServerProcess.start('nats-server', { config });
    [open, withUsers] = await Promise.all([start(''), start(guardedConfig)]);
  });
  after(async () => {
    await Promise.all([open.kill(), withUsers.kill()]);
  });

  async function agrees(server: ServerProcess, rules: Rules, steps: fc.Arbitrary<Step[]>, runs: number): Promise<void> {
    const property = fc.asyncProperty(steps, async (given) => judge(rules, await play(server.port, rules, given)));
    await holdsInTime(property, { seconds: SECONDS, ...effort(runs) });
  }

  test('gives the bytes nats-server gives in polite conversations', () => agrees(open, openRules, polite, 60));

  test('gives the bytes nats-server gives to connections that never said CONNECT', () =>
    agrees(open, openRules, unannounced, 60));

  test('closes on what nats-server closes on, with the same last words', () => agrees(open, openRules, hostile, 180));

  test('keeps accounts apart and judges permissions as nats-server does', () => agrees(withUsers, guardedRules, guarded, 120));

  test('judges every subject a permitted user asks for', () => agrees(withUsers, guardedRules, asking, 60));
});
