// /routez, /leafz, /gatewayz, /raftz and /ipqueuesz of a server that has no peers: the documents tools expect, without entries.
// Their parameters are still judged, so that a wrong query fails the same way on every server.

import type { EngineView } from '../../engine/snapshot.ts';
import { instantText, unlessEmpty, type Document } from './context.ts';
import { flag, subscriptionDetail } from './query.ts';

export function routez(view: EngineView, query: URLSearchParams): Document {
  subscriptionDetail(query);
  const server = view.server();
  return { server_id: server.id, server_name: server.name, now: instantText(server.now), num_routes: 0, routes: [] };
}

export function leafz(view: EngineView, query: URLSearchParams): Document {
  flag(query, 'subs');
  const server = view.server();
  return { server_id: server.id, now: instantText(server.now), leafnodes: 0, leafs: [] };
}

export function gatewayz(view: EngineView, query: URLSearchParams): Document {
  subscriptionDetail(query);
  flag(query, 'accs');
  const { id, now, options, listening } = view.server();
  const listener = listening.gateway;
  return {
    server_id: id,
    now: instantText(now),
    name: unlessEmpty(options.gateway?.name),
    host: unlessEmpty(listener?.host),
    port: unlessEmpty(listener?.port),
    outbound_gateways: {},
    inbound_gateways: {},
  };
}

export function ipqueuesz(query: URLSearchParams): Document {
  flag(query, 'all');
  return {};
}
