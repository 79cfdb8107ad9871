// The metrics of JetStream: totals, every stream, every consumer. Without JetStream none of them has a sample.

import type { MetricSample } from '../../ports/metrics.ts';
import { numberAt, type MetricRow, type Scrape } from './row.ts';

const streamLabels = ['account', 'stream'];
const consumerLabels = ['account', 'stream', 'consumer'];

function perStream(read: (stream: Scrape['streams'][number]) => number): (scrape: Scrape) => MetricSample[] {
  return ({ streams }) => streams.map((one) => ({ labels: [one.account, one.stream.name], value: read(one) }));
}

function ofState(field: string): (scrape: Scrape) => MetricSample[] {
  return perStream(({ stream }) => numberAt(stream.state, field));
}

function ofConsumer(...path: readonly string[]): (scrape: Scrape) => MetricSample[] {
  return ({ streams }) =>
    streams.flatMap(({ account, stream, consumers }) =>
      consumers.map(({ name, info }) => ({ labels: [account, stream.name, name], value: numberAt(info, ...path) })),
    );
}

export const jetstreamMetrics: readonly MetricRow[] = [
  { name: 'nats_jetstream_streams', help: 'Streams', type: 'gauge', read: ({ jetstream }) => jetstream?.streams },
  { name: 'nats_jetstream_consumers', help: 'Consumers', type: 'gauge', read: ({ jetstream }) => jetstream?.consumers },
  { name: 'nats_jetstream_messages', help: 'Messages stored', type: 'gauge', read: ({ jetstream }) => jetstream?.messages },
  {
    name: 'nats_jetstream_bytes',
    help: 'Bytes stored, in memory and on disk',
    type: 'gauge',
    read: ({ jetstream }) => jetstream?.bytes,
  },
  {
    name: 'nats_jetstream_memory_bytes',
    help: 'Bytes of memory streams',
    type: 'gauge',
    read: ({ jetstream }) => jetstream?.memory,
  },
  {
    name: 'nats_jetstream_storage_bytes',
    help: 'Bytes of file streams',
    type: 'gauge',
    read: ({ jetstream }) => jetstream?.storage,
  },
  {
    name: 'nats_jetstream_max_memory_bytes',
    help: 'What memory streams may take',
    type: 'gauge',
    read: ({ jetstream }) => jetstream?.config.maxMemory,
  },
  {
    name: 'nats_jetstream_max_storage_bytes',
    help: 'What file streams may take',
    type: 'gauge',
    read: ({ jetstream }) => jetstream?.config.maxStorage,
  },
  {
    name: 'nats_jetstream_reserved_memory_bytes',
    help: 'Bytes that memory streams have reserved',
    type: 'gauge',
    read: ({ jetstream }) => jetstream?.reservedMemory,
  },
  {
    name: 'nats_jetstream_reserved_storage_bytes',
    help: 'Bytes that file streams have reserved',
    type: 'gauge',
    read: ({ jetstream }) => jetstream?.reservedStorage,
  },
  {
    name: 'nats_jetstream_sync_seconds',
    help: 'How long file streams waited for the disk to sync a round',
    type: 'histogram',
    read: ({ jetstream }) => jetstream?.syncTimes,
  },
  {
    name: 'nats_jetstream_api_inflight',
    help: 'Requests to the JetStream API that wait for their answer',
    type: 'gauge',
    read: ({ jetstream }) => jetstream?.api.inflight,
  },
  {
    name: 'nats_jetstream_without_figures',
    help: 'Streams and consumers beyond those that have figures of their own',
    type: 'gauge',
    labels: ['kind'],
    read: ({ jetstream, omitted: { streams, consumers } }) =>
      jetstream && [
        { labels: ['stream'], value: streams },
        { labels: ['consumer'], value: consumers },
      ],
  },
  {
    name: 'nats_jetstream_api_requests_total',
    help: 'Requests to the JetStream API',
    type: 'counter',
    read: ({ jetstream }) => jetstream?.api.total,
  },
  {
    name: 'nats_jetstream_api_errors_total',
    help: 'Of those, answered with an error',
    type: 'counter',
    read: ({ jetstream }) => jetstream?.api.errors,
  },
  {
    name: 'nats_stream_messages',
    help: 'Messages of the stream',
    type: 'gauge',
    labels: streamLabels,
    read: ofState('messages'),
  },
  { name: 'nats_stream_bytes', help: 'Bytes of the stream', type: 'gauge', labels: streamLabels, read: ofState('bytes') },
  {
    name: 'nats_stream_first_sequence',
    help: 'First sequence of the stream',
    type: 'gauge',
    labels: streamLabels,
    read: ofState('first_seq'),
  },
  {
    name: 'nats_stream_last_sequence',
    help: 'Last sequence of the stream',
    type: 'gauge',
    labels: streamLabels,
    read: ofState('last_seq'),
  },
  {
    name: 'nats_stream_subjects',
    help: 'Different subjects in the stream',
    type: 'gauge',
    labels: streamLabels,
    read: ofState('num_subjects'),
  },
  {
    name: 'nats_stream_deleted_messages',
    help: 'Sequences between first and last that are gone',
    type: 'gauge',
    labels: streamLabels,
    read: ofState('num_deleted'),
  },
  {
    name: 'nats_stream_consumers',
    help: 'Consumers of the stream',
    type: 'gauge',
    labels: streamLabels,
    read: ofState('consumer_count'),
  },
  {
    name: 'nats_stream_faulty',
    help: '1 when the stream cannot serve, else 0',
    type: 'gauge',
    labels: streamLabels,
    read: perStream(({ stream }) => (stream.fault === undefined ? 0 : 1)),
  },
  {
    name: 'nats_consumer_pending_messages',
    help: 'Messages the consumer has yet to deliver',
    type: 'gauge',
    labels: consumerLabels,
    read: ofConsumer('num_pending'),
  },
  {
    name: 'nats_consumer_ack_pending_messages',
    help: 'Messages delivered and not yet acknowledged',
    type: 'gauge',
    labels: consumerLabels,
    read: ofConsumer('num_ack_pending'),
  },
  {
    name: 'nats_consumer_redelivered_messages',
    help: 'Of those, delivered more than once',
    type: 'gauge',
    labels: consumerLabels,
    read: ofConsumer('num_redelivered'),
  },
  {
    name: 'nats_consumer_waiting_pulls',
    help: 'Pull requests waiting for messages',
    type: 'gauge',
    labels: consumerLabels,
    read: ofConsumer('num_waiting'),
  },
  {
    name: 'nats_consumer_delivered_sequence',
    help: 'Stream sequence of the last delivery',
    type: 'gauge',
    labels: consumerLabels,
    read: ofConsumer('delivered', 'stream_seq'),
  },
  {
    name: 'nats_consumer_acknowledged_sequence',
    help: 'Stream sequence up to which everything is acknowledged',
    type: 'gauge',
    labels: consumerLabels,
    read: ofConsumer('ack_floor', 'stream_seq'),
  },
];
