// How the log names a connection: address and id first, then what the client said about itself, then who it is.
// Kept true: the address stays the same from the first line to the last, so behind a proxy it is the proxy's.
import type { SessionMachine } from '../../core/session/machine.ts';
import { hostPort } from '../../lib/address.ts';
import type { Transport } from '../../ports/connection.ts';

function clientLabel(machine: SessionMachine): string {
  const { name, lang, version } = machine.connect;
  const parts = [version === '' ? '' : `v${version}`, lang, name].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` - "${parts.join(':')}"`;
}

export function connectionLabel(cid: number, transport: Transport, machine: SessionMachine): string {
  const { kind, proxy } = transport;
  const { address, port } = proxy ?? { address: transport.remoteAddress, port: transport.remotePort };
  const granted = machine.connected ? machine.admission?.granted : undefined;
  const user = granted === undefined || granted.label === '' ? '' : ` - "${granted.account}/${granted.label}"`;
  return `${hostPort(address, port)} - ${kind === 'websocket' ? 'wid' : 'cid'}:${cid}${clientLabel(machine)}${user}`;
}
