/** Clients that come in by a signed JWT, as a creds file gives it. */
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { ServerProcess } from '../support/server.ts';
import { credsFile, type TestUser } from '../support/tokens.ts';

export function enter(server: ServerProcess, user: TestUser): Promise<NatsConnection> {
  const authenticator = credsAuthenticator(new TextEncoder().encode(credsFile(user)));
  return connect({ servers: server.url, reconnect: false, authenticator });
}

/** Whether the server says that it does not let the client in. */
export async function refused(attempt: Promise<NatsConnection>): Promise<boolean> {
  try {
    await (await attempt).close();
    return false;
  } catch (error) {
    return /Authorization Violation/i.test(String(error));
  }
}
