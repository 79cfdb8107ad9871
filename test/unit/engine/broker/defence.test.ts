// What must never hurt others: mistakes of ours in a handler, decisions that come for connections long gone, the end of the memory.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { silentLog } from '../../../../ts/app/silent-log.ts';
import { defaultOptions } from '../../../../ts/core/config/options.ts';
import type { Options } from '../../../../ts/core/config/options.ts';
import { nodeCrypto } from '../../../../ts/node/crypto.ts';
import { TestBroker } from '../../../support/broker.ts';

const crlf = '\r\n';
const { authorization } = defaultOptions();

describe('a mistake of ours', () => {
  it('in a handler of the server is logged, and what came behind it is handled', () => {
    const errors: string[] = [];
    const test = new TestBroker({}, { log: { ...silentLog, error: (text) => errors.push(text) } });
    const { broker } = test;
    const account = broker.accounts.get('$G');
    broker.host.subscribe(account.handle, 'api', '', () => {
      throw new Error('bad handler');
    });
    const peer = test.peer();
    peer.say('PUB api 0\r\n\r\nPING\r\n');
    assert.equal(peer.heard(), 'PONG\r\n');
    assert.match(errors.join(), /Internal error: Error: bad handler/);
    broker.turn(() => {
      broker.soon(() => {
        throw new Error('bad call');
      });
      broker.soon(() => broker.kernel.send(1, 'still here'));
    });
    assert.equal(peer.heard(), 'still here');
  });

  it('in a session costs that connection, not the others', () => {
    const test = new TestBroker();
    const other = test.peer();
    other.say('SUB x 1\r\n');
    const peer = test.peer('');
    const connection = test.broker.connections()[1];
    assert.ok(connection);
    connection.session.onConnect = () => {
      throw new Error('bad session');
    };
    peer.say('CONNECT {}\r\n');
    assert.equal(peer.destroyed, true);
    assert.deepEqual(test.closed, ['internalError']);
    test.peer().say('PUB x 2\r\nok\r\n');
    assert.equal(other.heard(), 'MSG x 1 2\r\nok\r\n');
  });
});

describe('a reload', () => {
  it('that asks for credentials ends those who came in without CONNECT', () => {
    const test = new TestBroker();
    const guest = test.peer('');
    guest.say('SUB secret 1\r\n');
    guest.heard();
    test.sessions.reload({ ...defaultOptions(), authorization: { ...authorization, user: 'u', pass: 'secret' } });
    test.broker.turn(() =>
      test.broker.kernel.publish(test.broker.accounts.get('$G').handle, 'secret', '', undefined, Buffer.from('x')),
    );
    assert.equal(guest.heard(), "-ERR 'Authorization Violation'\r\n");
    assert.equal(guest.ended, true);
  });

  it('does not touch the connection that took the place of one whose password was still being compared', async () => {
    const users = (narrow: boolean): Options => {
      const options = defaultOptions();
      const anybody = { nkey: '', account: '$G', proxyRequired: false };
      const slow = { ...anybody, user: 'slow', pass: hashSync('secret', 4) };
      const permissions = { subscribe: { deny: ['x'] } };
      options.authorization.users = [narrow ? { ...slow, permissions } : slow, { ...anybody, user: 'plain', pass: 'p' }];
      return options;
    };
    const test = new TestBroker({ authorization: users(false).authorization });
    const first = test.peer('');
    first.say('CONNECT {"verbose":false,"user":"slow","pass":"secret"}\r\nSUB x 1\r\nPING\r\n');
    for (let text = ''; !text.includes('PONG'); text += first.heard()) await new Promise((resolve) => setImmediate(resolve));
    test.sessions.reload(users(true));
    first.hangUp();
    const second = test.peer('{"verbose":false,"user":"plain","pass":"p"}');
    second.say('SUB x 1\r\n');
    await nodeCrypto.compareBcrypt('secret', hashSync('secret', 4));
    await new Promise((resolve) => setImmediate(resolve));
    second.say('PUB x 1\r\na\r\n');
    assert.equal(second.heard(), 'MSG x 1 1\r\na\r\n');
  });
});

describe('the end of the memory', () => {
  const pages = 1024;

  it('drops receivers that do not read; the others go on', () => {
    const test = new TestBroker({ noFastProducerStall: true }, { maximumPages: pages });
    const stuck = Array.from({ length: 4 }, () => test.peer());
    const reading = test.peer();
    reading.keepText = false;
    for (const peer of [...stuck, reading]) peer.say('SUB x 1\r\n');
    for (const peer of stuck) peer.takes = false;
    reading.receivedBytes = 0;
    const publisher = test.peer();
    for (let i = 0; i < 200; i++) publisher.say(`PUB x 500000${crlf}${'p'.repeat(500_000)}${crlf}`);
    publisher.say('PING\r\n');
    assert.equal(publisher.heard(), 'PONG\r\n');
    assert.equal(reading.receivedBytes, 200 * (500_000 + 'MSG x 1 500000\r\n\r\n'.length));
    assert.deepEqual(
      stuck.map((peer) => peer.destroyed),
      [true, true, true, true],
    );
  });

  it('refuses further subscriptions', () => {
    const test = new TestBroker({}, { maximumPages: pages });
    const peer = test.peer();
    for (let i = 0; i < 40; i++) {
      const lines = Array.from({ length: 10_000 }, (_, k) => `SUB a.${i}.${k} ${i * 10_000 + k}\r\n`);
      peer.say(lines.join(''));
    }
    assert.match(peer.heard(), /^(-ERR 'maximum subscriptions exceeded'\r\n)+$/);
    peer.say('PING\r\n');
    assert.equal(peer.heard(), 'PONG\r\n');
  });

  it('is not reached by sizes that are only announced', () => {
    const test = new TestBroker({ maxPayload: 8 << 20 }, { maximumPages: pages });
    const peers = Array.from({ length: 50 }, () => test.peer());
    for (const peer of peers) peer.say(`PUB x ${8 << 20}${crlf}abc`);
    assert.equal(
      peers.some((peer) => peer.ended),
      false,
    );
    assert.ok(test.kernel.exports.liveBytes() < 8 << 20, `${test.kernel.exports.liveBytes()} bytes in use`);
  });

  it('closes a client whose message finds no room', () => {
    const test = new TestBroker({ maxPayload: 100 << 20 }, { maximumPages: pages });
    const peer = test.peer();
    peer.say(`PUB x ${90 << 20}${crlf}${'p'.repeat(70 << 20)}`);
    assert.equal(peer.heard(), "-ERR 'Maximum Payload Violation'\r\n");
    assert.equal(peer.ended, true);
    assert.equal(test.peer().ended, false);
  });
});

describe('limits beyond 32 bits', () => {
  it('are taken as the highest there is', () => {
    const test = new TestBroker({ maxPending: 8 * 2 ** 30, maxPayload: 2 ** 32 });
    const peer = test.peer();
    peer.say('SUB x 1\r\nPUB x 1\r\na\r\n');
    assert.equal(peer.heard(), 'MSG x 1 1\r\na\r\n');
  });
});

describe('the server itself', () => {
  it('makes no client rest by what it delivers', () => {
    const test = new TestBroker({ maxPending: 65536, maxPayload: 65536 });
    const slow = test.peer();
    slow.say('SUB x 1\r\n');
    slow.takes = false;
    const { handle } = test.broker.accounts.get('$G');
    test.broker.turn(() => test.broker.kernel.publish(handle, 'x', '', undefined, new Uint8Array(60_000)));
    const bystander = test.peer();
    bystander.say('PING\r\n');
    assert.equal(bystander.reading, true);
  });

  it('leaves no connection behind when it stops', () => {
    const test = new TestBroker();
    const stuck = test.peer();
    stuck.takes = false;
    stuck.say('PING\r\n');
    test.sessions.endAll('serverShutdown');
    assert.equal(test.broker.openConnections, 1);
    test.broker.stop();
    assert.equal(stuck.destroyed, true);
    assert.equal(test.broker.openConnections, 0);
  });
});
