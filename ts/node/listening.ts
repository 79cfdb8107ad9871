// Binding a server that was made to its address, and what a caller holds of it then.
import type { AddressInfo, Server } from 'node:net';
import type { Listening } from '../ports/connection.ts';

/** Connections that may wait to be accepted; the system may allow fewer. */
const BACKLOG = 4096;

/** What node is to bind for a host: as in Go, every address of IPv4 is every address of IPv6, too, where there is IPv6. */
export function boundHost(host: string): string | undefined {
  return host === '0.0.0.0' ? undefined : host;
}

/** Binds the server and returns its port. Rejects when the address cannot be had. Ports of 0 and below mean any. */
export async function bind(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: Math.max(0, port), host: boundHost(host), backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** Rejects when the address cannot be had. */
export async function listening(server: Server, at: { readonly host: string; readonly port: number }): Promise<Listening> {
  return {
    host: at.host,
    port: await bind(server, at),
    // The server's own callback would wait for every accepted connection to end.
    close: () => {
      server.close();
      return new Promise((resolve) => setImmediate(resolve));
    },
  };
}
