// From the engine's snapshots to metric families: one scrape reads every snapshot once, then each row of the tables.

import type { EngineView, JetStreamSnapshot } from '../../engine/snapshot.ts';
import type { MetricFamily, MetricSample, MetricsSource } from '../../ports/metrics.ts';
import type { ProcessPort } from '../../ports/process.ts';
import { healthz, healthzOptions } from '../monitor/healthz.ts';
import { coreMetrics } from './core-table.ts';
import { jetstreamMetrics } from './jetstream-table.ts';
import type { ConsumerInScrape, MetricRow, Scrape, StreamInScrape } from './row.ts';

export const metricRows: readonly MetricRow[] = [...coreMetrics, ...jetstreamMetrics];

/** So many streams and consumers have figures of their own, the first by name: a scrape is to stay cheap, and so is whoever keeps it. */
export const mostWithFigures = { streams: 1_000, consumers: 2_000 } as const;

/** Questions about the health without any wish. */
const wholeServer = healthzOptions(new URLSearchParams());

export function metricsOf(view: EngineView, process: ProcessPort, requests: ReadonlyMap<string, number>): MetricsSource {
  return function* () {
    const streams: StreamInScrape[] = [];
    for (const stream of streamsWithFigures(view.jetstream())) {
      streams.push(stream);
      yield undefined;
    }
    const scrape = takeScrape(view, process, requests, streams);
    for (const row of metricRows) yield familyOf(row, scrape);
  };
}

function familyOf(row: MetricRow, scrape: Scrape): MetricFamily {
  const { name, help, type, labels = [] } = row;
  if (row.type !== 'histogram') return { name, help, type, labels, samples: samplesOf(row.read(scrape)) };
  const histogram = row.read(scrape);
  return { name, help, type, labels, samples: [], ...(histogram === undefined ? {} : { histogram }) };
}

function samplesOf(read: number | readonly MetricSample[] | undefined): readonly MetricSample[] {
  if (read === undefined) return [];
  return typeof read === 'number' ? [{ labels: [], value: read }] : read;
}

function takeScrape(
  view: EngineView,
  process: ProcessPort,
  requests: ReadonlyMap<string, number>,
  streams: readonly StreamInScrape[],
): Scrape {
  const jetstream = view.jetstream();
  const consumers = streams.reduce((sum, one) => sum + one.consumers.length, 0);
  let pendingBytes = 0;
  for (const connection of view.connections()) pendingBytes += connection.pendingBytes;
  return {
    server: view.server(),
    process: process.facts(),
    matcher: view.matcher(),
    accounts: view.accounts(),
    pendingBytes,
    healthy: healthz(view, wholeServer).status === 200,
    requests,
    jetstream,
    streams,
    omitted: {
      streams: (jetstream?.streams ?? 0) - streams.length,
      consumers: (jetstream?.consumers ?? 0) - consumers,
    },
  };
}

function* streamsWithFigures(jetstream: JetStreamSnapshot | undefined): Generator<StreamInScrape> {
  const left = { ...mostWithFigures } as { streams: number; consumers: number };
  for (const { name: account, streams } of jetstream?.accounts() ?? []) {
    for (const stream of left.streams > 0 ? streams() : []) {
      const some: ConsumerInScrape[] = [];
      for (const consumer of left.consumers > 0 ? stream.consumers() : []) {
        some.push({ name: consumer.name, info: consumer.info });
        if (--left.consumers === 0) break;
      }
      const { name, state, fault } = stream;
      yield { account, stream: { name, state, fault }, consumers: some };
      if (--left.streams === 0) break;
    }
  }
}
