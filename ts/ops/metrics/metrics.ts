// From the engine's snapshots to metric families: one scrape reads every snapshot once, then each row of the tables.

import type { EngineView } from '../../engine/snapshot.ts';
import type { MetricFamily, MetricSample, MetricsSource } from '../../ports/metrics.ts';
import type { ProcessPort } from '../../ports/process.ts';
import { healthz, healthzOptions } from '../monitor/healthz.ts';
import { coreMetrics } from './core-table.ts';
import { jetstreamMetrics } from './jetstream-table.ts';
import type { Scrape, StreamInScrape } from './row.ts';

export const metricRows = [...coreMetrics, ...jetstreamMetrics];

/** Questions about the health without any wish. */
const wholeServer = healthzOptions(new URLSearchParams());

export function metricsOf(view: EngineView, process: ProcessPort, requests: ReadonlyMap<string, number>): MetricsSource {
  return () => {
    const scrape = takeScrape(view, process, requests);
    return metricRows.map((row): MetricFamily => {
      const { name, help, type, labels = [] } = row;
      return { name, help, type, labels, samples: samplesOf(row.read(scrape)) };
    });
  };
}

function samplesOf(read: number | readonly MetricSample[] | undefined): readonly MetricSample[] {
  if (read === undefined) return [];
  return typeof read === 'number' ? [{ labels: [], value: read }] : read;
}

function takeScrape(view: EngineView, process: ProcessPort, requests: ReadonlyMap<string, number>): Scrape {
  const jetstream = view.jetstream();
  const streams = (jetstream?.accounts() ?? []).flatMap(({ name, streams }) =>
    streams().map((stream): StreamInScrape => ({ account: name, stream, consumers: stream.consumers() })),
  );
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
  };
}
