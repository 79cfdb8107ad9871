// Handshakes whose peer is judged by somebody who takes his time: what happens until the verdict, and after it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { listenTls } from '../../../ts/node/tls.ts';
import type { TlsListening, TlsSettings } from '../../../ts/ports/listen.ts';
import type { HandshakeStatus } from '../../../ts/ports/ocsp.ts';
import { Issued } from '../../support/certificate-authority.ts';
import { KeepingAcceptor, bytesOf, tlsSettings } from '../../support/listener-peer.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const root = Issued.make('root', { authority: true });
const intermediate = root.issue('intermediate', { authority: true });
const client = intermediate.issue('client');
const folder = temporaryFolder();
const { cert: certFile, key: keyFile } = root.issue('server').write(folder, 'server');
root.write(folder, 'root');
const ocspPeer = {
  ...{ verify: true, caTimeoutMs: 1, allowedClockSkewMs: 1, warnOnly: false, unknownIsGood: false },
  ...{ allowWhenCaUnreachable: false, cacheTtlWhenNextUpdateUnsetMs: 1 },
};

/** Gives its verdicts when the test says so. */
class Judge implements HandshakeStatus {
  readonly asked: string[] = [];
  readonly #waiting: ((refusal: string | undefined) => void)[] = [];
  #changed: () => void = () => undefined;

  judge(chains: readonly (readonly Uint8Array[])[]): Promise<string | undefined> {
    this.asked.push(chains.map((chain) => chain.map((der) => new Issued(der).commonName).join(' ')).join(', '));
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#changed();
    });
  }

  staple(): undefined {
    return undefined;
  }

  async verdict(refusal?: string): Promise<void> {
    while (this.#waiting.length === 0) await new Promise<void>((resolve) => (this.#changed = resolve));
    this.#waiting.shift()?.(refusal);
  }
}

interface Bench {
  readonly acceptor: KeepingAcceptor;
  readonly judge: Judge;
  readonly listener: TlsListening;
  enter(options?: ConnectionOptions): Promise<TLSSocket>;
}

async function withListener(change: Partial<TlsSettings>, body: (bench: Bench) => Promise<void>): Promise<void> {
  const acceptor = new KeepingAcceptor((transport) => {
    transport.write([bytesOf('INFO {}\r\n')]);
    transport.startTls?.().catch((error: Error) => {
      acceptor.onProblem(error.message);
      transport.destroy();
    });
  });
  const judge = new Judge();
  const { inbound, onProblem } = acceptor;
  const tls = tlsSettings({ certFile, keyFile, caFile: join(folder, 'root.pem'), verify: true, ocspPeer, ...change });
  const at = { host: '127.0.0.1', port: -1, inbound, tls, status: judge, allowNonTls: false, onProblem };
  const listener = await listenTls(at, acceptor);
  const sockets: TLSSocket[] = [];
  const enter = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const plain = connectTcp(listener.port, '127.0.0.1');
    await once(plain, 'connect');
    if (!change.handshakeFirst) await once(plain, 'data');
    const mine = { cert: client.pem + intermediate.pem, key: client.keyPem, ca: root.pem, servername: 'localhost' };
    const secured = connectTls({ socket: plain, ...mine, ...options });
    secured.on('error', () => undefined);
    sockets.push(secured);
    await once(secured, 'secureConnect');
    return secured;
  };
  try {
    await body({ acceptor, judge, listener, enter });
  } finally {
    for (const socket of sockets) socket.destroy();
    for (const { transport } of acceptor.accepted) transport.destroy();
    await listener.close();
  }
}

/** What was sent has long arrived. */
async function settled(socket: TLSSocket): Promise<void> {
  await new Promise((resolve) => socket.write('PING\r\n', resolve));
  for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate);
}

test('nothing a client sends is read before the verdict, and all of it after', async () => {
  await withListener({}, async ({ acceptor, judge, enter }) => {
    const socket = await enter();
    await settled(socket);
    assert.equal(acceptor.accepted[0]?.text, '');
    await judge.verdict();
    await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
    assert.deepEqual(judge.asked, ['client intermediate root']);
  });
});

test('handshake first: nobody hears of a client before the verdict, nor the client of the server', async () => {
  await withListener({ handshakeFirst: true }, async ({ acceptor, judge, enter }) => {
    const socket = await enter();
    await settled(socket);
    assert.deepEqual([acceptor.accepted.length, socket.readableLength], [0, 0]);
    const info = once(socket, 'data');
    await judge.verdict();
    assert.equal(String((await info)[0]), 'INFO {}\r\n');
    await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
  });
});

for (const handshakeFirst of [false, true]) {
  test(`a client that is refused is closed, and why is told${handshakeFirst ? ', handshake first' : ''}`, async () => {
    await withListener({ handshakeFirst }, async ({ acceptor, judge, enter }) => {
      const socket = await enter();
      socket.resume();
      const closed = once(socket, 'close');
      await judge.verdict('client not OCSP valid');
      await closed;
      await acceptor.until(() => acceptor.problems.length === 1);
      assert.match(acceptor.problems[0] ?? '', /client not OCSP valid$/);
      assert.equal(acceptor.accepted[0]?.text ?? '', '');
    });
  });
}

for (const refusal of [undefined, 'client not OCSP valid']) {
  test(`a client that goes before it is ${refusal === undefined ? 'let in' : 'refused'} is gone`, async () => {
    await withListener({}, async ({ acceptor, judge, enter }) => {
      const socket = await enter();
      await settled(socket);
      socket.destroy();
      await judge.verdict(refusal);
      await acceptor.until(() => acceptor.accepted[0]?.closed === true);
    });
  });
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${maxVersion}: who comes again is judged again, by all certificates`, async () => {
    await withListener({}, async ({ judge, enter }) => {
      const first = await enter({ maxVersion });
      await judge.verdict();
      const session = first.getSession();
      assert.ok(session);
      const second = await enter({ maxVersion, session });
      await judge.verdict();
      assert.equal(second.isSessionReused(), false);
      assert.deepEqual(judge.asked, ['client intermediate root', 'client intermediate root']);
    });
  });
}

test('a reload begins and ends the checks', async () => {
  await withListener({}, async ({ listener, judge, enter, acceptor }) => {
    const settings = { certFile, keyFile, caFile: join(folder, 'root.pem'), verify: true };
    listener.reloadTls(tlsSettings(settings));
    const unchecked = await enter();
    await settled(unchecked);
    await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
    listener.reloadTls(tlsSettings({ ...settings, ocspPeer }));
    await enter();
    await judge.verdict();
    assert.equal(judge.asked.length, 1);
  });
});

test('an authority of the file is trusted although its own issuer is not there', async () => {
  const { cert: caFile } = intermediate.write(folder, 'intermediate');
  await withListener({ caFile, ocspPeer: { ...ocspPeer, verify: false } }, async ({ acceptor, enter }) => {
    await settled(await enter());
    await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
  });
});
