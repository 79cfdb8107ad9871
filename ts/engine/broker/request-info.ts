// What a service in another account is told of a client that asks: its account and how far away it is, or, where the import shares it,
// everything a connection says of itself. nats-server's client info as JSON, cut where the account of an import passed on the way goes.

import type { RequestInfo } from '../../kernel/imports.ts';
import { formatInstant } from '../../core/jetstream/instant.ts';
import { jsonText, type JsonInput } from '../../lib/json-text.ts';
import type { ClientConnection } from './client.ts';

type Members = Readonly<Record<string, JsonInput | undefined>>;

/** Members in order without those that have no value. */
function present(values: Members): Record<string, JsonInput | undefined> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== '' && value !== 0));
}

function members(values: Members): string {
  return jsonText(present(values)).slice(1, -1);
}

/** What a connection says of itself, in one document. */
export function clientInfo(connection: ClientConnection, serverName: string): Record<string, JsonInput | undefined> {
  const { opening, rest } = described(connection, serverName);
  return present({ ...opening, ...rest });
}

/** What is told of it where the import does not share more: its account and how far away it is. */
export function shortClientInfo(connection: ClientConnection, serverName: string): Record<string, JsonInput | undefined> {
  const { opening, rest } = described(connection, serverName);
  return present({ acc: opening.acc, rtt: rest.rtt });
}

/** The whole document of a connection, as requests to the system account carry it too. */
export function requestInfo(connection: ClientConnection, serverName: string): RequestInfo {
  const { opening, rest } = described(connection, serverName);
  const after = (text: string): string => (text === '' ? '}' : `,${text}}`);
  return {
    short: [`{${members({ acc: opening.acc })}`, after(members({ rtt: rest.rtt }))],
    long: [`{${members(opening)}`, after(members(rest))],
  };
}

/** In front of where the account of an import stands, and behind it. */
function described(connection: ClientConnection, serverName: string): { opening: Members; rest: Members } {
  const { facts } = connection.session;
  const account = connection.account?.name ?? '';
  const rtt = Math.round((facts.rttMs ?? 0) * 1e6);
  const start = formatInstant(connection.start);
  const opening = { start, host: connection.transport.remoteAddress, id: connection.cid, acc: account };
  const rest = {
    user: facts.authorizedUser,
    name: facts.name,
    lang: facts.lang,
    ver: facts.version,
    rtt,
    server: serverName,
    kind: 'Client',
    client_type: connection.transport.kind === 'websocket' ? 'websocket' : 'nats',
  };
  return { opening, rest };
}
