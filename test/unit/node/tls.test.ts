// The TLS listener against node's own TLS client: greeting in plain, then the handshake, and every way it can go.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { listenTls } from '../../../ts/node/tls.ts';
import type { Transport, TransportTls } from '../../../ts/ports/connection.ts';
import type { TlsListening, TlsSettings } from '../../../ts/ports/listen.ts';
import { KeepingAcceptor, authority, bytesOf, certificate, tlsSettings } from '../../support/listener-peer.ts';

interface Bench {
  readonly acceptor: KeepingAcceptor;
  readonly listener: TlsListening;
  readonly upgrades: Promise<TransportTls | undefined>[];
  readonly sockets: Socket[];
  plain(): Promise<Socket>;
  upgrade(socket: Socket, options?: ConnectionOptions): Promise<TLSSocket>;
}

/** A listener whose connections are greeted with INFO and upgraded as a session would. */
async function withListener(
  change: Partial<TlsSettings>,
  allowNonTls: boolean,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const upgrades: Promise<TransportTls | undefined>[] = [];
  const greet = (transport: Transport): void => {
    transport.write([bytesOf('INFO '), bytesOf('{}\r\n')]);
    const started = transport.startTls?.();
    if (started === undefined) return;
    started.catch(() => transport.destroy());
    upgrades.push(started);
  };
  const acceptor = new KeepingAcceptor(greet);
  const { inbound, onProblem } = acceptor;
  const listener = await listenTls(
    { host: '127.0.0.1', port: -1, inbound, tls: tlsSettings(change), allowNonTls, onProblem },
    acceptor,
  );
  const sockets: Socket[] = [];
  const plain = async (): Promise<Socket> => {
    const socket = connectTcp(listener.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  const upgrade = async (socket: Socket, options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const secured = connectTls({ socket, ca: authority, servername: 'localhost', ...options });
    secured.on('error', () => undefined);
    await once(secured, 'secureConnect');
    return secured;
  };
  try {
    await body({ acceptor, listener, upgrades, sockets, plain, upgrade });
  } finally {
    for (const socket of sockets) socket.destroy();
    for (const { transport } of acceptor.accepted) transport.destroy();
    await listener.close();
  }
}

async function read(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString();
}

test('a connection is greeted in plain, upgraded, and carries bytes both ways', async () => {
  await withListener({}, false, async ({ acceptor, upgrades, plain, upgrade }) => {
    const socket = await plain();
    assert.equal(await read(socket), 'INFO {}\r\n');
    const secured = await upgrade(socket);
    secured.write('PING\r\n');
    await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
    const agreed = await upgrades[0];
    assert.equal(agreed?.version, '1.3');
    assert.match(agreed.cipher, /^TLS_/);
    const kept = acceptor.accepted[0];
    assert.equal(kept?.transport.kind, 'tls');
    kept.transport.write([bytesOf('PO'), bytesOf('NG\r\n')]);
    assert.equal(await read(secured), 'PONG\r\n');
    await acceptor.until(() => kept.written === 2);
    secured.end();
    await acceptor.until(() => kept.closed);
  });
});

test('a write that is enciphered knows how much of it has not left yet', async () => {
  await withListener({}, false, async ({ acceptor, upgrades, plain, upgrade }) => {
    const socket = await plain();
    await read(socket);
    const secured = await upgrade(socket);
    await upgrades[0];
    const kept = acceptor.accepted[0];
    assert.ok(kept !== undefined);
    const bytes = new Uint8Array(32 << 20);
    kept.transport.write([bytes]);
    assert.ok(kept.transport.unsentBytes <= bytes.length && kept.transport.unsentBytes > bytes.length / 2);
    let seen = 0;
    for await (const part of secured as AsyncIterable<Buffer>) if ((seen += part.length) > bytes.length / 2) break;
    await acceptor.until(() => kept.closed || kept.transport.unsentBytes < bytes.length / 2);
    assert.ok(kept.transport.unsentBytes < bytes.length / 2, `${kept.transport.unsentBytes} unsent`);
  });
});

test('of several certificates a client gets the one for the name it asks for, and else the first', async () => {
  const certs = ['client', 'server'].map((name) => tlsSettings({}, name));
  await withListener({ certs }, false, async ({ plain, upgrade }) => {
    const shown = async (servername: string): Promise<string | undefined> => {
      const socket = await plain();
      await read(socket);
      const secured = await upgrade(socket, { servername, rejectUnauthorized: false });
      return secured.getPeerX509Certificate()?.serialNumber;
    };
    const serial = (name: string): string => new X509Certificate(certificate(name).cert).serialNumber;
    assert.equal(await shown('localhost'), serial('server'));
    assert.equal(await shown('elsewhere.example'), serial('client'));
    assert.equal(await shown(''), serial('client'));
  });
});

test('cipher suites that are to be had nowhere are passed over, unless there are no others', async () => {
  const weak = 'TLS_RSA_WITH_RC4_128_SHA';
  const cipherSuites = [weak, 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'];
  await withListener({ cipherSuites }, false, async ({ plain, upgrade }) => {
    const socket = await plain();
    await read(socket);
    const secured = await upgrade(socket, { maxVersion: 'TLSv1.2' });
    assert.equal(secured.getCipher().name, 'ECDHE-ECDSA-AES256-GCM-SHA384');
  });
  await assert.rejects(
    withListener({ cipherSuites: [weak] }, false, () => Promise.resolve()),
    /no cipher suite to be had of TLS_RSA_WITH_RC4_128_SHA/,
  );
});

test('a write asked for during the handshake leaves behind it', async () => {
  await withListener({}, false, async ({ acceptor, plain, upgrade }) => {
    const socket = await plain();
    await read(socket);
    acceptor.accepted[0]?.transport.write([bytesOf('+OK\r\n')]);
    const secured = await upgrade(socket);
    assert.equal(await read(secured), '+OK\r\n');
  });
});

test('more than the inbound region holds arrives in pieces, in order', async () => {
  await withListener({}, false, async ({ acceptor, plain, upgrade }) => {
    const socket = await plain();
    await read(socket);
    const secured = await upgrade(socket);
    const sent = 'abcdefghij'.repeat(50_000);
    secured.write(sent);
    await acceptor.until(() => (acceptor.accepted[0]?.text.length ?? 0) >= sent.length);
    assert.equal(acceptor.accepted[0]?.text, sent);
  });
});

test('a paused connection reads on where it stopped', async () => {
  await withListener({}, false, async ({ acceptor, upgrades, plain, upgrade }) => {
    const socket = await plain();
    await read(socket);
    acceptor.accepted[0]?.transport.pauseReading();
    const secured = await upgrade(socket);
    await upgrades[0];
    await new Promise((resolve) => secured.write('PING\r\n', resolve));
    await new Promise(setImmediate);
    assert.equal(acceptor.accepted[0]?.text, '');
    acceptor.accepted[0].transport.resumeReading();
    await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
  });
});

test('plain bytes where TLS is required fail the handshake and end the connection', async () => {
  await withListener({}, false, async ({ acceptor, upgrades, plain }) => {
    const socket = await plain();
    await read(socket);
    socket.write('CONNECT {}\r\n');
    await assert.rejects(async () => await upgrades[0], /first record does not look like a TLS handshake/);
    await acceptor.until(() => acceptor.accepted[0]?.closed === true);
  });
});

test('a client that never begins the handshake is given up after the timeout', async () => {
  await withListener({ timeoutMs: 50 }, false, async ({ acceptor, upgrades, plain }) => {
    await read(await plain());
    await assert.rejects(async () => await upgrades[0], /timeout/);
    await acceptor.until(() => acceptor.accepted[0]?.closed === true);
  });
});

test('with verify a client needs a certificate, and its names are told', async () => {
  await withListener({ verify: true }, false, async ({ upgrades, plain, upgrade }) => {
    const bare = await plain();
    await read(bare);
    await upgrade(bare);
    await assert.rejects(async () => await upgrades[0], /client didn't provide a certificate/);
    const socket = await plain();
    await read(socket);
    await upgrade(socket, certificate('client'));
    const peer = (await upgrades[1])?.peerCertificates[0];
    assert.equal(peer?.subject, 'CN=carol,OU=Team,O=Slipstream');
    assert.deepEqual(
      [peer.emails, peer.dnsNames, peer.uris],
      [['carol@example.com'], ['carol.example'], ['spiffe://example/carol']],
    );
    assert.match(peer.spkiSha256, /^[0-9a-f]{64}$/);
  });
});

test('a certificate that nobody vouches for is refused, and why is told before the connection is gone', async () => {
  const told: string[] = [];
  await withListener({ verify: true, caFile: tlsSettings().certFile }, false, async ({ acceptor, upgrades, plain, upgrade }) => {
    const socket = await plain();
    await read(socket);
    upgrades[0]?.catch((error: Error) => told.push(error.message, String(acceptor.accepted[0]?.closed)));
    await upgrade(socket, certificate('client'));
    await acceptor.until(() => acceptor.accepted[0]?.closed === true);
  });
  assert.deepEqual(told, ['tls: failed to verify certificate: x509: certificate signed by unknown authority', 'false']);
});

test('a certificate that is not pinned is refused', async () => {
  await withListener({ verify: true, pinnedCerts: ['00'.repeat(32)] }, false, async ({ upgrades, plain, upgrade }) => {
    const socket = await plain();
    await read(socket);
    await upgrade(socket, certificate('client'));
    await assert.rejects(async () => await upgrades[0], /certificate not pinned/);
  });
});

test('an older protocol than min_version is refused', async () => {
  await withListener({ minVersion: '1.3' }, false, async ({ upgrades, plain, upgrade }) => {
    const socket = await plain();
    await read(socket);
    await assert.rejects(upgrade(socket, { maxVersion: 'TLSv1.2' }));
    await assert.rejects(async () => await upgrades[0], /unsupported versions/);
  });
});

test('a chosen cipher suite, by its Go name, is the one agreed on', async () => {
  const change = { cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'], curvePreferences: ['CurveP384'] };
  await withListener(change, false, async ({ upgrades, plain, upgrade }) => {
    const socket = await plain();
    await read(socket);
    await upgrade(socket, { maxVersion: 'TLSv1.2' });
    const agreed = await upgrades[0];
    assert.deepEqual([agreed?.version, agreed?.cipher], ['1.2', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384']);
  });
});

test('handshake first: INFO is read through TLS', async () => {
  await withListener({ handshakeFirst: true }, false, async ({ acceptor, plain, upgrade }) => {
    const secured = await upgrade(await plain());
    assert.equal(await read(secured), 'INFO {}\r\n');
    assert.equal(acceptor.accepted[0]?.transport.tls?.handshakeFirst, true);
    assert.equal(acceptor.accepted[0].transport.startTls, undefined);
  });
});

test('handshake first: a client that speaks plain is never accepted', async () => {
  await withListener({ handshakeFirst: true }, false, async ({ acceptor, plain }) => {
    const socket = await plain();
    socket.write('CONNECT {}\r\n');
    await acceptor.until(() => acceptor.problems.length === 1);
    assert.match(acceptor.problems[0] ?? '', /^127\.0\.0\.1:\d+ - TLS handshake error: tls: first record/);
    assert.equal(acceptor.accepted.length, 0);
  });
});

test('handshake first with a fallback serves both kinds of clients', async () => {
  await withListener({ handshakeFirst: true, handshakeFirstFallbackMs: 300 }, false, async ({ plain, upgrade }) => {
    const early = await upgrade(await plain());
    assert.equal(await read(early), 'INFO {}\r\n');
    const patient = await plain();
    assert.equal(await read(patient), 'INFO {}\r\n');
    await upgrade(patient);
  });
});

test('where TLS is optional a client chooses by its first byte', async () => {
  await withListener({}, true, async ({ acceptor, upgrades, plain, upgrade }) => {
    const open = await plain();
    await read(open);
    open.write('PING\r\n');
    await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
    assert.equal(await upgrades[0], undefined);
    assert.equal(acceptor.accepted[0]?.transport.kind, 'tcp');
    const socket = await plain();
    await read(socket);
    const secured = await upgrade(socket);
    secured.write('PING\r\n');
    await acceptor.until(() => acceptor.accepted[1]?.text === 'PING\r\n');
  });
});

test('beyond the connection rate a client is told to come back', async () => {
  await withListener({ connectionRateLimit: 1 }, false, async ({ plain }) => {
    const answers = await Promise.all([0, 1, 2].map(async () => await read(await plain())));
    assert.ok(answers.includes("-ERR 'Connection throttling is active. Please try again later.'\r\n"), answers.join());
  });
});

test('a reload serves the new certificate, and bad files keep the old', async () => {
  await withListener({}, false, async ({ listener, plain, upgrade }) => {
    listener.reloadTls(tlsSettings({}, 'server-renewed'));
    assert.throws(
      () => listener.reloadTls(tlsSettings({ certFile: '/nowhere.pem' })),
      /open \/nowhere\.pem: no such file or directory/,
    );
    const socket = await plain();
    await read(socket);
    const secured = await upgrade(socket);
    assert.equal(secured.getPeerCertificate().subject.O, 'Renewed');
    assert.ok((listener.certificateNotAfterMs ?? 0) > Date.UTC(2100, 0, 1));
  });
});

test('a reload that asks for certificates turns away a client without one, and its timeout holds', async () => {
  await withListener({ timeoutMs: 60_000 }, false, async ({ listener, plain, upgrades, upgrade }) => {
    listener.reloadTls(tlsSettings({ verify: true, timeoutMs: 60_000 }));
    const bare = await plain();
    await read(bare);
    connectTls({ socket: bare, ca: authority, servername: 'localhost' }).on('error', () => undefined);
    await assert.rejects(async () => await upgrades.at(-1), /tls: client didn't provide a certificate/);
    listener.reloadTls(tlsSettings({ timeoutMs: 20 }));
    const silent = await plain();
    await read(silent);
    await assert.rejects(async () => await upgrades.at(-1), /i\/o timeout/);
    listener.reloadTls(tlsSettings({ timeoutMs: 60_000 }));
    const served = await plain();
    await read(served);
    assert.equal((await upgrade(served)).getProtocol(), 'TLSv1.3');
  });
});

test('a server that asks for no certificates sends its own and not its authority', async () => {
  await withListener({}, false, async ({ plain, upgrade }) => {
    const socket = await plain();
    await read(socket);
    const { issuerCertificate } = (await upgrade(socket, { ca: [], rejectUnauthorized: false })).getPeerCertificate(true);
    assert.equal(issuerCertificate, undefined);
  });
});

test('files that cannot be used are named in one line', async () => {
  const listen = async (change: Partial<TlsSettings>): Promise<unknown> => {
    const acceptor = new KeepingAcceptor();
    const { inbound, onProblem } = acceptor;
    return await listenTls(
      { host: '127.0.0.1', port: -1, inbound, tls: tlsSettings(change), allowNonTls: false, onProblem },
      acceptor,
    );
  };
  await assert.rejects(listen({ keyFile: tlsSettings({}, 'client').keyFile }), /private key does not match public key/);
  await assert.rejects(listen({ caFile: '/nowhere' }), /open \/nowhere: no such file/);
  await assert.rejects(listen({ cipherSuites: ['TLS_NONE'] }), /unrecognized cipher TLS_NONE/);
});
