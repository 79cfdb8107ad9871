/**
 * One conversation in one write, and cut in two at every byte: the answers must be nats-server's, byte for byte, whatever arrives in one read.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { skipWithout } from '../support/peers.ts';
import { ServerProcess, type ServerKind } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';

interface Conversation {
  readonly name: string;
  readonly sent: string;
  readonly answered: string;
}

const conversations: readonly Conversation[] = [
  {
    name: 'CONNECT, SUB, PUB, UNSUB, PUB, PING',
    sent: 'CONNECT {"verbose":false}\r\nSUB foo.* 1\r\nPUB foo.a r 5\r\nhello\r\nUNSUB 1\r\nPUB foo.a 2\r\nhi\r\nPING\r\n',
    answered: 'MSG foo.a 1 r 5\r\nhello\r\nPONG\r\n',
  },
  {
    name: 'the same in verbose mode with headers and a queue group',
    sent:
      'CONNECT {"verbose":true,"pedantic":false,"headers":true}\r\nSUB foo q 1\r\nUNSUB 1 2\r\nHPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n' +
      'PUB foo 0\r\n\r\nPUB foo 1\r\nx\r\nPING\r\n',
    answered: '+OK\r\n+OK\r\n+OK\r\n+OK\r\nHMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n+OK\r\nMSG foo 1 0\r\n\r\n+OK\r\nPONG\r\n',
  },
  {
    name: 'a request without responders',
    sent: 'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB in.* 9\r\nPUB nobody in.1 0\r\n\r\nPING\r\n',
    answered: 'HMSG in.1 9 38 38\r\nNATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n\r\nPONG\r\n',
  },
];

const kinds: ReadonlyArray<readonly [ServerKind, string | false]> = [
  ['slipstream', false],
  ['nats-server', skipWithout('nats-server')],
];

for (const [kind, skip] of kinds) {
  describe(`one write on ${kind}`, { skip }, () => {
    let server: ServerProcess;
    before(async () => {
      server = await ServerProcess.start(kind);
    });
    after(() => server.kill());

    for (const { name, sent, answered } of conversations) {
      test(`${name}, whole and cut at each of ${sent.length} bytes`, async () => {
        const bytes = Buffer.from(sent, 'latin1');
        for (let cut = 0; cut < bytes.length; cut++) {
          const { client } = await WireClient.greeted(server.port);
          await client.writeCut(bytes, [cut]);
          assert.equal(await client.bytes(answered.length), answered, `cut at ${cut}: ${JSON.stringify(sent.slice(0, cut))}`);
          assert.equal(client.pending, '', `cut at ${cut}`);
          await client.close();
        }
      });
    }
  });
}
