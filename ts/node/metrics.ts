// `/metrics` by prom-client: the server's families and Node's own (event loop lag, garbage collection, heap). prom-client is loaded at the
// first scrape, since it costs start time that a server nobody scrapes should not pay.

import type * as Prometheus from 'prom-client';
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { inSlices } from '../lib/in-slices.ts';
import type { HttpReply } from '../ports/http.ts';
import type { MetricFamily, MetricHistogram, MetricsSource } from '../ports/metrics.ts';
import { turnsOfLoop } from './turns-of-loop.ts';

type PromClient = typeof Prometheus;
type HistogramValues = Awaited<ReturnType<Histogram['get']>>['values'];

/** Answers scrapes, one after the other: they share one registry. */
export function createMetricsEndpoint(source: MetricsSource): () => Promise<HttpReply> {
  let exposition: Promise<Exposition> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const scrape = async (): Promise<HttpReply> => {
    exposition ??= import('prom-client').then((client) => new Exposition(client));
    const { registry, take, text } = await exposition;
    await inSlices(source(), (family) => family !== undefined && take(family), turnsOfLoop);
    return { status: 200, headers: { 'Content-Type': registry.contentType }, body: await text() };
  };
  return () => {
    const next = last.then(scrape);
    last = next.catch(() => {});
    return next;
  };
}

class Exposition {
  readonly registry: Registry;
  readonly #client: PromClient;
  readonly #metrics = new Map<string, Counter | Gauge>();
  readonly #histograms = new Map<string, (values: HistogramValues) => void>();

  constructor(client: PromClient) {
    this.#client = client;
    this.registry = new client.Registry();
    client.collectDefaultMetrics({ register: this.registry });
  }

  /** Replaces every value of a family. */
  readonly take = (family: MetricFamily): void => {
    if (family.histogram !== undefined) return this.#showHistogram(family, family.histogram);
    const metric = this.#metricFor(family);
    metric.reset();
    for (const { labels, value } of family.samples) {
      metric.inc(Object.fromEntries(family.labels.map((label, at) => [label, labels[at] ?? ''])), value);
    }
  };

  /** As the registry's own `metrics`, with other turns between the families. */
  readonly text = async (): Promise<string> => {
    const texts: string[] = [];
    for (const { name } of this.registry.getMetricsAsArray()) {
      texts.push(await this.registry.getSingleMetricAsString(name));
      await turnsOfLoop.pause();
    }
    return `${texts.join('\n\n')}\n`;
  };

  /** The library's histograms observe for themselves; one that is counted elsewhere is shown in its form. */
  #showHistogram({ name, help }: MetricFamily, { bounds, counts, count, sum }: MetricHistogram): void {
    const values = [
      ...bounds.map((le, at) => ({ labels: { le }, value: counts[at] ?? 0, metricName: `${name}_bucket` })),
      { labels: { le: '+Inf' }, value: count, metricName: `${name}_bucket` },
      { labels: {}, value: sum, metricName: `${name}_sum` },
      { labels: {}, value: count, metricName: `${name}_count` },
    ];
    const show = this.#histograms.get(name) ?? this.#openHistogram(name, help, [...bounds]);
    show(values);
  }

  #openHistogram(name: string, help: string, buckets: number[]): (values: HistogramValues) => void {
    const histogram = new this.#client.Histogram({ name, help, buckets, registers: [this.registry] });
    const show = (values: HistogramValues): void => {
      const shown = { name, help, type: 'histogram', aggregator: 'sum', values };
      // What a scrape asks for; the types do not name it.
      Object.assign(histogram, { getForPromString: () => Promise.resolve(shown) });
    };
    this.#histograms.set(name, show);
    return show;
  }

  #metricFor({ name, help, type, labels }: MetricFamily): Counter | Gauge {
    const known = this.#metrics.get(name);
    if (known !== undefined) return known;
    const settings = { name, help, labelNames: [...labels], registers: [this.registry] };
    const metric = type === 'counter' ? new this.#client.Counter(settings) : new this.#client.Gauge(settings);
    this.#metrics.set(name, metric);
    return metric;
  }
}
