// `/metrics` by prom-client: the server's families and Node's own (event loop lag, garbage collection, heap). prom-client is loaded at the
// first scrape, since it costs start time that a server nobody scrapes should not pay.

import type * as Prometheus from 'prom-client';
import type { Counter, Gauge, Registry } from 'prom-client';
import type { HttpReply } from '../ports/http.ts';
import type { MetricFamily, MetricsSource } from '../ports/metrics.ts';

type PromClient = typeof Prometheus;

/** Answers scrapes; scrapes at the same time share one registry. */
export function createMetricsEndpoint(source: MetricsSource): () => Promise<HttpReply> {
  let exposition: Promise<Exposition> | undefined;
  return async () => {
    exposition ??= import('prom-client').then((client) => new Exposition(client));
    const { registry, take } = await exposition;
    take(source());
    return { status: 200, headers: { 'Content-Type': registry.contentType }, body: await registry.metrics() };
  };
}

class Exposition {
  readonly registry: Registry;
  readonly #client: PromClient;
  readonly #metrics = new Map<string, Counter | Gauge>();

  constructor(client: PromClient) {
    this.#client = client;
    this.registry = new client.Registry();
    client.collectDefaultMetrics({ register: this.registry });
  }

  /** Replaces every value by that of the families. */
  readonly take = (families: readonly MetricFamily[]): void => {
    for (const family of families) {
      const metric = this.#metricFor(family);
      metric.reset();
      for (const { labels, value } of family.samples) {
        metric.inc(Object.fromEntries(family.labels.map((label, at) => [label, labels[at] ?? ''])), value);
      }
    }
  };

  #metricFor({ name, help, type, labels }: MetricFamily): Counter | Gauge {
    const known = this.#metrics.get(name);
    if (known !== undefined) return known;
    const settings = { name, help, labelNames: [...labels], registers: [this.registry] };
    const metric = type === 'counter' ? new this.#client.Counter(settings) : new this.#client.Gauge(settings);
    this.#metrics.set(name, metric);
    return metric;
  }
}
