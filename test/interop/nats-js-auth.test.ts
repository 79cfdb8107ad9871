/** nats.js authenticates in each way that the server knows, is refused with wrong credentials, and can work once it is in. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, nkeyAuthenticator, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { ServerProcess, type ServerKind } from '../support/server.ts';
import { ways, type Credentials, type Way } from './credentials.ts';
import { targets } from './servers.ts';

function optionsOf(server: ServerProcess, credentials: Credentials): NodeConnectionOptions {
  const { user, pass, token, seed, tls } = credentials;
  return {
    servers: `localhost:${server.port}`,
    reconnect: false,
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
    ...(seed === undefined ? {} : { authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            caFile: tls.ca,
            ...(tls.cert === undefined ? {} : { certFile: tls.cert }),
            ...(tls.key === undefined ? {} : { keyFile: tls.key }),
          },
        }),
  };
}

async function roundTrip(connection: NatsConnection): Promise<void> {
  const subscription = connection.subscribe('echo', { callback: (_error, message) => void message.respond(message.data) });
  const answer = await connection.request('echo', 'hello', { timeout: patienceMs });
  assert.equal(answer.string(), 'hello');
  subscription.unsubscribe();
}

async function admits(kind: ServerKind, way: Way): Promise<void> {
  const server = await ServerProcess.start(kind, { config: way.config });
  try {
    const connection = await connect(optionsOf(server, way.right));
    await roundTrip(connection);
    await connection.close();
  } finally {
    await server.kill();
  }
}

async function refuses(kind: ServerKind, way: Way, wrong: Credentials): Promise<void> {
  const server = await ServerProcess.start(kind, { config: way.config });
  try {
    await assert.rejects(async () => {
      const connection = await connect(optionsOf(server, wrong));
      await connection.flush();
    });
  } finally {
    await server.kill();
  }
}

for (const { kind, skip } of targets) {
  describe(`nats.js authenticates at ${kind}`, { skip }, () => {
    for (const way of ways) {
      test(`with ${way.name}`, () => admits(kind, way));
      const { wrong } = way;
      if (wrong !== undefined) test(`with ${way.name}, and wrong credentials are refused`, () => refuses(kind, way, wrong));
    }

    test('with TLS before INFO', async () => {
      const tls = ways.find(({ name }) => name === 'TLS')?.config.replace('tls {', 'tls { handshake_first: true,') ?? '';
      const server = await ServerProcess.start(kind, { config: tls });
      try {
        const options = optionsOf(server, { tls: { ca: ways.find(({ name }) => name === 'TLS')?.right.tls?.ca ?? '' } });
        const connection = await connect({ ...options, tls: { ...options.tls, handshakeFirst: true } });
        await roundTrip(connection);
        await connection.close();
      } finally {
        await server.kill();
      }
    });
  });
}
