// Binding a server that was made to its address, and what a caller holds of it then.
import type { AddressInfo, Server } from 'node:net';
import type { Listening } from '../ports/connection.ts';

/** Connections that may wait to be accepted; the system may allow fewer. */
const BACKLOG = 4096;

/** Rejects when the address cannot be had. Ports of 0 and below mean any. */
export async function listening(server: Server, at: { readonly host: string; readonly port: number }): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: Math.max(0, at.port), host: at.host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    host: at.host,
    port: (server.address() as AddressInfo).port,
    // The server's own callback would wait for every accepted connection to end.
    close: () => {
      server.close();
      return new Promise((resolve) => setImmediate(resolve));
    },
  };
}
