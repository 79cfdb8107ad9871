// The document about a request to a measured service, as nats-server sends it to the subject the export names.

import type { ServiceMeasure } from '../../engine/snapshot.ts';
import { instantText, type Document } from '../monitor/context.ts';

const statuses: Readonly<Record<ServiceMeasure['outcome'], { readonly status: number; readonly description?: string }>> = {
  answered: { status: 200 },
  notAwaited: { status: 400, description: 'Bad Request' },
  lost: { status: 408, description: 'Request Timeout' },
  notTaken: { status: 503, description: 'Service Unavailable' },
  timedOut: { status: 504, description: 'Service Timeout' },
};

/** In whole nanoseconds, never negative: distances of clients are estimates. */
function nanos(ms: number): number {
  return Math.max(0, Math.round(ms * 1e6));
}

/** Headers in order of their names, as Go writes maps. */
function headersOf(headers: ServiceMeasure['headers']): Document | undefined {
  if (headers.size === 0) return undefined;
  return Object.fromEntries([...headers].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function measureDocument(measure: ServiceMeasure, { id, timestamp }: { id: string; timestamp: string }): Document {
  const { outcome, requestor, responder, headers, start, serviceMs, totalMs } = measure;
  const { status, description } = statuses[outcome];
  return {
    type: 'io.nats.server.metric.v1.service_latency',
    id,
    timestamp,
    status,
    description,
    requestor,
    responder,
    header: headersOf(headers),
    start: instantText(start),
    service: nanos(serviceMs),
    // Requests and replies stay in this server.
    system: 0,
    total: nanos(totalMs),
  };
}
