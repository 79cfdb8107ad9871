// The server's load in short, as it is sent every few seconds and to whoever pings.

import type { EngineView } from '../../engine/snapshot.ts';
import type { ProcessPort } from '../../ports/process.ts';
import { instantText, unlessEmpty, type Document } from '../monitor/context.ts';
import { jetstreamConfigDocument, jetstreamLimitsDocument, jetstreamStatsDocument } from '../monitor/jetstream-document.ts';

export function statsz(view: EngineView, process: ProcessPort): Document {
  const server = view.server();
  const facts = process.facts();
  const traffic = (msgs: number, bytes: number): Document => ({ msgs, bytes });
  const { clients, routes, gateways, leafs } = server.slowConsumers;
  return {
    start: instantText(server.start),
    mem: facts.memoryBytes,
    cores: facts.cores,
    cpu: facts.cpuPercent,
    connections: server.connections,
    total_connections: server.totalConnections,
    active_accounts: view.accounts().filter(({ clientConnections }) => clientConnections > 0).length,
    subscriptions: server.subscriptions,
    sent: traffic(server.outMsgs, server.outBytes),
    sent_to_clients: traffic(server.outClientMsgs, server.outClientBytes),
    received: traffic(server.inMsgs, server.inBytes),
    received_from_clients: traffic(server.inClientMsgs, server.inClientBytes),
    slow_consumers: clients + routes + gateways + leafs,
    stalled_clients: unlessEmpty(server.stalledClients),
    active_servers: 1,
    jetstream: jetstreamBlock(view),
    gomemlimit: unlessEmpty(facts.memoryLimitBytes),
    gomaxprocs: facts.threads,
  };
}

/** The directory is nobody's business here. */
function jetstreamBlock(view: EngineView): Document | undefined {
  const jetstream = view.jetstream();
  if (jetstream === undefined) return undefined;
  const { options } = view.server();
  const { store_dir: _directory, ...config } = jetstreamConfigDocument(jetstream, options);
  return { config, stats: jetstreamStatsDocument(jetstream), limits: jetstreamLimitsDocument(options) };
}
