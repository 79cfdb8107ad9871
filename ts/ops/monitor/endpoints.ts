// The table of monitoring endpoints: path, what the index page calls it, whether varz counts it, and what answers it.
// The router, the index page and the tests read it; a new endpoint is one more row.

import { inSlices } from '../../lib/in-slices.ts';
import { jsonPieces, jsonText, type JsonInput } from '../../lib/json-text.ts';
import type { HttpReply } from '../../ports/http.ts';
import { accountz, accountzOptions, accstatz, accstatzOptions } from './accountz.ts';
import { connz, connzOptions } from './connz.ts';
import type { MonitorContext } from './context.ts';
import { healthz, healthzOptions } from './healthz.ts';
import { jsz, jszOptions } from './jsz.ts';
import { gatewayz, ipqueuesz, leafz, routez } from './peers.ts';
import { debugVars, stacksz } from './process-documents.ts';
import { subsz, subszOptions } from './subsz.ts';
import { varz } from './varz.ts';

export interface Endpoint {
  readonly path: string;
  /** Text of its link on the index page; none is listed without one. */
  readonly title?: string;
  /** Key of its count in `http_req_stats`; absent when nobody counts it. */
  readonly counted?: string;
  answer(context: MonitorContext, query: URLSearchParams): HttpReply | Promise<HttpReply>;
}

const jsonHeaders = { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' };

function json(body: JsonInput, status = 200, indent = '  '): HttpReply {
  return { status, headers: jsonHeaders, body: jsonText(body, indent) };
}

export function plain(body: string, status: number): HttpReply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}

export function badRequest(text: string): HttpReply {
  return plain(text, 400);
}

function health(context: MonitorContext, query: URLSearchParams): HttpReply {
  const { status, document } = healthz(context.view, healthzOptions(query));
  return json(document, status, '');
}

/** There may be thousands of streams: others get their turns while they are written. */
async function jetstream({ view, slices }: MonitorContext, query: URLSearchParams): Promise<HttpReply> {
  const pieces: string[] = [];
  await inSlices(jsonPieces(jsz(view, jszOptions(query)), '  '), (piece) => pieces.push(piece), slices);
  return { status: 200, headers: jsonHeaders, body: pieces.join('') };
}

const subscriptions = (path: string, title?: string): Endpoint => ({
  path,
  ...(title === undefined ? {} : { title }),
  counted: '/subsz',
  answer: ({ view }, query) => json(subsz(view, subszOptions(query))),
});

export const endpoints: readonly Endpoint[] = [
  { path: '/varz', title: 'General', counted: '/varz', answer: (context) => json(varz(context)) },
  { path: '/jsz', title: 'JetStream', counted: '/jsz', answer: jetstream },
  {
    path: '/connz',
    title: 'Connections',
    counted: '/connz',
    answer: ({ view }, query) => json(connz(view, connzOptions(query))),
  },
  {
    path: '/accountz',
    title: 'Accounts',
    counted: '/accountz',
    answer: ({ view }, query) => json(accountz(view, accountzOptions(query))),
  },
  {
    path: '/accstatz',
    title: 'Account traffic',
    counted: '/accstatz',
    answer: ({ view }, query) => json(accstatz(view, accstatzOptions(query))),
  },
  subscriptions('/subsz', 'Subscriptions'),
  subscriptions('/subscriptionsz'),
  { path: '/routez', title: 'Routes', counted: '/routez', answer: ({ view }, query) => json(routez(view, query)) },
  { path: '/leafz', title: 'Leaf nodes', counted: '/leafz', answer: ({ view }, query) => json(leafz(view, query)) },
  { path: '/gatewayz', title: 'Gateways', counted: '/gatewayz', answer: ({ view }, query) => json(gatewayz(view, query)) },
  { path: '/raftz', title: 'Raft groups', answer: () => plain('No Raft nodes registered', 404) },
  { path: '/ipqueuesz', answer: (_context, query) => json(ipqueuesz(query), 200, '   ') },
  { path: '/healthz', title: 'Health', counted: '/healthz', answer: health },
  { path: '/stacksz', answer: ({ process }) => ({ status: 200, headers: jsonHeaders, body: stacksz(process) }) },
  { path: '/debug/vars', title: 'Process', answer: ({ process }) => json(debugVars(process), 200, '') },
];
