// /healthz: whether this server can serve, judged step by step from the process up to a named consumer. The first step that fails is the
// answer, except with `details`, where a stream or consumer that is ill does not hide the others.

import type { EngineView, JetStreamSnapshot } from '../../engine/snapshot.ts';
import type { Document } from './context.ts';
import { flag, text } from './query.ts';

export interface HealthzOptions {
  /** JetStream must run where it is configured; nothing further is asked. */
  readonly jetstreamEnabledOnly: boolean;
  /** As above; the two differ only in a cluster. */
  readonly jetstreamServerOnly: boolean;
  readonly jetstreamMetaOnly: boolean;
  readonly account: string;
  readonly stream: string;
  readonly consumer: string;
  readonly details: boolean;
}

export interface Health {
  readonly status: number;
  readonly document: Document;
}

interface Finding {
  readonly type: 'CONNECTION' | 'BAD_REQUEST' | 'JETSTREAM' | 'ACCOUNT' | 'STREAM' | 'CONSUMER';
  readonly status: number;
  readonly account?: string;
  readonly stream?: string;
  readonly consumer?: string;
  readonly error: string;
}

export function healthzOptions(query: URLSearchParams): HealthzOptions {
  const enabled = flag(query, 'js-enabled');
  const enabledOnly = flag(query, 'js-enabled-only');
  return {
    jetstreamEnabledOnly: enabled || enabledOnly,
    jetstreamServerOnly: flag(query, 'js-server-only'),
    jetstreamMetaOnly: flag(query, 'js-meta-only'),
    account: text(query, 'account'),
    stream: text(query, 'stream'),
    consumer: text(query, 'consumer'),
    details: flag(query, 'details'),
  };
}

export function healthz(view: EngineView, options: HealthzOptions): Health {
  const findings = examine(view, options);
  const [first] = findings;
  if (first === undefined) return { status: 200, document: { status: 'ok' } };
  if (!options.details) {
    return {
      status: first.status,
      document: { status: first.status === 400 || first.status === 500 ? 'error' : 'unavailable', error: first.error },
    };
  }
  const errors = findings.map(({ type, account, stream, consumer, error }) => ({ type, account, stream, consumer, error }));
  return { status: first.status, document: { status: 'error', errors } };
}

function examine(view: EngineView, options: HealthzOptions): readonly Finding[] {
  const bad = badRequest(options);
  if (bad !== undefined) return [bad];
  if (!view.ready()) return [{ type: 'CONNECTION', status: 500, error: 'not ready for connections' }];
  const jetstream = view.jetstream();
  if (jetstream === undefined) {
    const configured = view.server().options.jetstream.enabled;
    return configured ? [{ type: 'JETSTREAM', status: 503, error: 'JetStream not enabled' }] : [];
  }
  if (options.jetstreamEnabledOnly || options.jetstreamServerOnly || options.jetstreamMetaOnly) return [];
  const missing = missingAsset(jetstream, options);
  return missing === undefined ? [...illAssets(jetstream, options)] : [missing];
}

function badRequest({ account, stream, consumer }: HealthzOptions): Finding | undefined {
  const missing = consumer !== '' && stream === '' ? 'stream' : stream !== '' && account === '' ? 'account' : undefined;
  if (missing === undefined) return undefined;
  const checked = missing === 'stream' ? 'consumer' : 'stream';
  return { type: 'BAD_REQUEST', status: 400, error: `"${missing}" must not be empty when checking ${checked} health` };
}

/** A named account, stream or consumer that does not exist. */
function missingAsset(jetstream: JetStreamSnapshot, { account, stream, consumer }: HealthzOptions): Finding | undefined {
  if (account === '') return undefined;
  const found = jetstream.accounts().find(({ name }) => name === account);
  if (found === undefined) {
    return { type: 'ACCOUNT', status: 404, account, error: `JetStream account "${account}" not found` };
  }
  if (stream === '') return undefined;
  const foundStream = [...found.streams()].find(({ name }) => name === stream);
  if (foundStream === undefined) {
    const error = `JetStream stream "${stream}" not found on account "${account}"`;
    return { type: 'STREAM', status: 404, account, stream, error };
  }
  if (consumer === '' || [...foundStream.consumers()].some(({ name }) => name === consumer)) return undefined;
  const error = `JetStream consumer "${consumer}" not found for stream "${stream}" on account "${account}"`;
  return { type: 'CONSUMER', status: 404, account, stream, consumer, error };
}

function named(wanted: string, name: string): boolean {
  return wanted === '' || wanted === name;
}

/** Streams and consumers with a fault, among those the options name. */
function* illAssets(jetstream: JetStreamSnapshot, options: HealthzOptions): Generator<Finding> {
  for (const account of jetstream.accounts().filter(({ name }) => named(options.account, name))) {
    for (const stream of account.streams()) {
      if (!named(options.stream, stream.name)) continue;
      const where = { account: account.name, stream: stream.name };
      if (stream.fault !== undefined) {
        const error = `JetStream stream '${account.name} > ${stream.name}' is not current: ${stream.fault}`;
        yield { type: 'STREAM', status: 503, ...where, error };
      }
      for (const consumer of stream.consumers()) {
        if (consumer.fault === undefined || !named(options.consumer, consumer.name)) continue;
        const error = `JetStream consumer '${account.name} > ${stream.name} > ${consumer.name}' is not current: ${consumer.fault}`;
        yield { type: 'CONSUMER', status: 503, ...where, consumer: consumer.name, error };
      }
    }
  }
}
