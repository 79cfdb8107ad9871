// The metrics of the server itself: connections, traffic, subscriptions, accounts, the process.

import type { PeerCounts } from '../../engine/snapshot.ts';
import type { MetricSample } from '../../ports/metrics.ts';
import type { MetricRow, Scrape } from './row.ts';

function byPeer({ clients, routes, gateways, leafs }: PeerCounts): MetricSample[] {
  return Object.entries({ client: clients, route: routes, gateway: gateways, leafnode: leafs }).map(([kind, value]) => ({
    labels: [kind],
    value,
  }));
}

function perAccount(scrape: Scrape, read: (account: Scrape['accounts'][number]) => number): MetricSample[] {
  return scrape.accounts.map((account) => ({ labels: [account.name], value: read(account) }));
}

export const coreMetrics: readonly MetricRow[] = [
  {
    name: 'nats_server_info',
    help: 'Always 1; who the server is, in its labels',
    type: 'gauge',
    labels: ['server_id', 'server_name', 'version', 'runtime'],
    read: ({ server }) => [{ labels: [server.id, server.name, server.version, server.runtime], value: 1 }],
  },
  {
    name: 'nats_start_time_seconds',
    help: 'When the server started, in seconds since 1970',
    type: 'gauge',
    read: ({ server }) => server.start.seconds,
  },
  {
    name: 'nats_healthy',
    help: '1 while /healthz answers 200, else 0',
    type: 'gauge',
    read: ({ healthy }) => (healthy ? 1 : 0),
  },
  {
    name: 'nats_config_load_time_seconds',
    help: 'When the configuration in force was loaded',
    type: 'gauge',
    read: ({ server }) => server.configLoadTime.seconds,
  },
  { name: 'nats_connections', help: 'Open client connections', type: 'gauge', read: ({ server }) => server.connections },
  {
    name: 'nats_connections_total',
    help: 'Client connections accepted since start',
    type: 'counter',
    read: ({ server }) => server.totalConnections,
  },
  {
    name: 'nats_max_connections',
    help: 'Client connections allowed at a time',
    type: 'gauge',
    read: ({ server }) => server.options.maxConnections,
  },
  {
    name: 'nats_received_messages_total',
    help: 'Messages received from clients',
    type: 'counter',
    read: ({ server }) => server.inMsgs,
  },
  {
    name: 'nats_received_bytes_total',
    help: 'Payload bytes received from clients',
    type: 'counter',
    read: ({ server }) => server.inBytes,
  },
  { name: 'nats_sent_messages_total', help: 'Messages sent to clients', type: 'counter', read: ({ server }) => server.outMsgs },
  {
    name: 'nats_sent_bytes_total',
    help: 'Payload bytes sent to clients',
    type: 'counter',
    read: ({ server }) => server.outBytes,
  },
  {
    name: 'nats_pending_bytes',
    help: 'Bytes waiting in the outbound queues of open connections',
    type: 'gauge',
    read: ({ pendingBytes }) => pendingBytes,
  },
  {
    name: 'nats_slow_consumers_total',
    help: 'Connections closed because they did not keep up',
    type: 'counter',
    labels: ['kind'],
    read: ({ server }) => byPeer(server.slowConsumers),
  },
  {
    name: 'nats_stale_connections_total',
    help: 'Connections closed because their pings were not answered',
    type: 'counter',
    labels: ['kind'],
    read: ({ server }) => byPeer(server.staleConnections),
  },
  {
    name: 'nats_stalled_clients_total',
    help: 'Times a publisher was held back for receivers that fell behind',
    type: 'counter',
    read: ({ server }) => server.stalledClients,
  },
  { name: 'nats_subscriptions', help: 'Subscriptions in force', type: 'gauge', read: ({ server }) => server.subscriptions },
  {
    name: 'nats_matches_total',
    help: 'Subjects looked up in the matcher',
    type: 'counter',
    read: ({ matcher }) => matcher?.matches,
  },
  {
    name: 'nats_match_cache_hits_total',
    help: 'Of those, answered by its cache',
    type: 'counter',
    read: ({ matcher }) => matcher?.cacheHits,
  },
  {
    name: 'nats_account_connections',
    help: 'Open client connections by account',
    type: 'gauge',
    labels: ['account'],
    read: (scrape) => perAccount(scrape, ({ clientConnections }) => clientConnections),
  },
  {
    name: 'nats_account_subscriptions',
    help: 'Subscriptions by account',
    type: 'gauge',
    labels: ['account'],
    read: (scrape) => perAccount(scrape, ({ subscriptions }) => subscriptions),
  },
  {
    name: 'nats_account_received_messages_total',
    help: 'Messages received from clients of the account',
    type: 'counter',
    labels: ['account'],
    read: (scrape) => perAccount(scrape, ({ received }) => received.msgs),
  },
  {
    name: 'nats_account_sent_messages_total',
    help: 'Messages sent to clients of the account',
    type: 'counter',
    labels: ['account'],
    read: (scrape) => perAccount(scrape, ({ sent }) => sent.msgs),
  },
  {
    name: 'nats_http_requests_total',
    help: 'Requests to the monitoring port by path',
    type: 'counter',
    labels: ['path'],
    read: ({ requests }) => [...requests].map(([path, value]) => ({ labels: [path], value })),
  },
  {
    name: 'nats_memory_bytes',
    help: 'Resident memory of the process',
    type: 'gauge',
    read: ({ process }) => process.memoryBytes,
  },
  {
    name: 'nats_cpu_percent',
    help: 'Lately used share of one core',
    type: 'gauge',
    read: ({ process }) => process.cpuPercent,
  },
];
