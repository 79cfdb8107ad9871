// Who makes an API request, as the audit and the advisories of backups tell: the connection, or what a service import says of the one behind it.

import { parseHeaders } from '../../core/jetstream/headers.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { JetStreamAccount } from './account.ts';
import type { InboundMessage } from './ports.ts';

/** What a service import says of who asks. */
const requestInfoHeader = 'Nats-Request-Info';

function readInfo(text: string): Document | undefined {
  try {
    return JSON.parse(text) as Document;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** To be asked while the request is handled: the connection may go. */
export function requesterOf({ ports, name, settings }: JetStreamAccount, { connection = 0, headers }: InboundMessage): Document {
  const told = headers.length === 0 ? undefined : parseHeaders(headers).get(requestInfoHeader);
  return (told === undefined ? ports.door.clientInfo(connection, settings.serverName) : readInfo(told)) ?? { acc: name };
}
