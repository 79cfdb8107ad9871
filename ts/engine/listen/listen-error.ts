// A listener that could not be opened, in the words operators search for.
import { hostPort } from '../../lib/address.ts';

const causes: Readonly<Record<string, string>> = {
  EADDRINUSE: 'bind: address already in use',
  EADDRNOTAVAIL: 'bind: cannot assign requested address',
  EACCES: 'bind: permission denied',
  ENOTFOUND: 'lookup: no such host',
};

export type ListenerName = 'client' | 'websocket' | 'leafnodes';

const sentences: Record<ListenerName, (host: string, port: number, cause: string) => string> = {
  client: (host, port, cause) => `Error listening on port: ${hostPort(host, port)}, "${cause}"`,
  websocket: (_host, _port, cause) => `Unable to listen for websocket connections: ${cause}`,
  leafnodes: (_host, port, cause) => `Error listening on leafnode port: ${port} - ${cause}`,
};

/** Fatal at start: the message is the one line to print. */
export class ListenError extends Error {
  override name = 'ListenError';

  constructor(listener: ListenerName, host: string, port: number, error: unknown) {
    super(sentence(listener, host, port, error), { cause: error });
  }
}

function sentence(listener: ListenerName, host: string, port: number, error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  const known = causes[code ?? ''];
  // Without a system error code it is about certificates, and says so itself.
  if (code === undefined || known === undefined) return message ?? String(error);
  return sentences[listener](host, port, `listen tcp ${hostPort(host, port)}: ${known}`);
}
