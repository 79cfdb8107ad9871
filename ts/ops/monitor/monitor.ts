// The monitoring service: a request's target in, a reply out. It finds the endpoint, counts the request and turns a query that cannot be
// answered into a 400. It holds nothing but the counts; the listener that feeds it is `node/http.ts`.

import type { EngineView } from '../../engine/snapshot.ts';
import type { SliceClock } from '../../lib/in-slices.ts';
import type { HttpHandler, HttpReply, HttpRequest } from '../../ports/http.ts';
import type { MetricsSource } from '../../ports/metrics.ts';
import type { ProcessPort } from '../../ports/process.ts';
import { metricsOf } from '../metrics/metrics.ts';
import type { MonitorContext } from './context.ts';
import { badRequest, endpoints, plain, type Endpoint } from './endpoints.ts';
import { indexPage, type IndexLink } from './index-page.ts';
import { BadRequest } from './query.ts';

export interface MonitorOptions {
  readonly view: EngineView;
  readonly process: ProcessPort;
  readonly slices: SliceClock;
  /** As configured: `mon`, `/mon/` and `/mon` mean the same. */
  readonly basePath: string;
  /** Makes what answers `/metrics` out of the figures; there is no such path without. */
  readonly exposition?: (source: MetricsSource) => () => Promise<HttpReply>;
}

const metricsPath = '/metrics';

export function createMonitor(options: MonitorOptions): HttpHandler {
  const base = `/${options.basePath}`.replace(/\/+/g, '/').replace(/\/$/, '');
  const byPath = new Map(endpoints.map((endpoint) => [base + endpoint.path, endpoint]));
  const requests = new Map<string, number>();
  const context: MonitorContext = { view: options.view, process: options.process, slices: options.slices, requests };
  const metrics = options.exposition?.(metricsOf(options.view, options.process, requests));
  const links = indexLinks(metrics !== undefined);
  const count = (key: string): void => void requests.set(key, (requests.get(key) ?? 0) + 1);

  return ({ target }: HttpRequest): HttpReply | Promise<HttpReply> => {
    const { path, query } = split(target);
    if (path === (base === '' ? '/' : base)) {
      count('/');
      const page = indexPage(options.view.server(), base.slice(base.lastIndexOf('/') + 1), links);
      return { status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: page };
    }
    if (metrics !== undefined && path === base + metricsPath) {
      count(metricsPath);
      return metrics();
    }
    const endpoint = byPath.get(path);
    if (endpoint === undefined) return notFound();
    if (endpoint.counted !== undefined) count(endpoint.counted);
    return answer(endpoint, context, query);
  };
}

async function answer(endpoint: Endpoint, context: MonitorContext, query: URLSearchParams): Promise<HttpReply> {
  try {
    return await endpoint.answer(context, query);
  } catch (error) {
    if (error instanceof BadRequest) return badRequest(error.message);
    throw error;
  }
}

function notFound(): HttpReply {
  const { headers, ...rest } = plain('404 page not found\n', 404);
  return { ...rest, headers: { ...headers, 'X-Content-Type-Options': 'nosniff' } };
}

function split(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  return { path: path.replace(/\/{2,}/g, '/'), query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)) };
}

function indexLinks(withMetrics: boolean): readonly IndexLink[] {
  const listed = endpoints.flatMap(({ title, path }) => (title === undefined ? [] : [{ title, path }]));
  return withMetrics ? [...listed, { title: 'Metrics', path: metricsPath }] : listed;
}
