// Who answers: the head of every document of the system account.

import { featureFlagsOf } from '../../core/config/feature-flags.ts';
import type { ServerSnapshot } from '../../engine/snapshot.ts';
import { instantText, unlessEmpty, type Document } from '../monitor/context.ts';

/** JetStream runs; snapshots are binary; accounts may carry their own replication. */
const FLAG_JETSTREAM = 1;
const FLAGS_ALWAYS = 6;

/** `seq` counts the documents that this server has made. */
export function serverInfo({ id, name, version, now, options }: ServerSnapshot, seq: number): Document {
  const { enabled, domain } = options.jetstream;
  return {
    name,
    host: options.host,
    id,
    domain: unlessEmpty(enabled ? domain : ''),
    ver: version,
    tags: unlessEmpty(options.serverTags),
    metadata: unlessEmpty(options.serverMetadata),
    feature_flags: featureFlagsOf(options.featureFlags),
    jetstream: enabled,
    flags: FLAGS_ALWAYS | (enabled ? FLAG_JETSTREAM : 0),
    seq,
    time: instantText(now),
  };
}

/** What a request may ask of a server before it answers; all optional. */
export interface ServerFilter {
  readonly server_name?: string;
  readonly host?: string;
  readonly cluster?: string;
  readonly domain?: string;
  readonly tags?: readonly string[];
  readonly exact_match?: boolean;
}

/** Whether a request that goes to all servers means this one. */
export function isMeant(filter: ServerFilter, { name, options }: ServerSnapshot): boolean {
  const { exact_match: exact = false, tags = [] } = filter;
  const fits = (wanted: string | undefined, own: string): boolean =>
    wanted === undefined || wanted === '' || (exact ? own === wanted : own.includes(wanted));
  const domain = filter.domain === undefined || filter.domain === '' || filter.domain === options.jetstream.domain;
  const named = fits(filter.server_name, name) && fits(filter.host, options.host);
  return (
    domain && named && fits(filter.cluster, options.cluster?.name ?? '') && tags.every((tag) => options.serverTags.includes(tag))
  );
}
