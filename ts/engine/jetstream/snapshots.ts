// What operators see of JetStream: values taken in one turn, walked only as far as asked.

import { apiLevel } from '../../core/jetstream/api-level.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import type { ConsumerSnapshot, JetStreamAccountSnapshot, JetStreamUsage, Json, StreamSnapshot } from '../snapshot.ts';
import type { JetStreamAccount } from './account.ts';
import type { Consumer } from './consumer.ts';
import type { Stream } from './stream.ts';

function json(document: unknown): { readonly [key: string]: Json | undefined } {
  return JSON.parse(encodeJson(document)) as { readonly [key: string]: Json | undefined };
}

/** What is stored, and what streams have reserved. */
export function usage(account: JetStreamAccount): JetStreamUsage {
  return {
    memory: account.stored('memory'),
    storage: account.stored('file'),
    reservedMemory: account.reserved('memory'),
    reservedStorage: account.reserved('file'),
  };
}

export function sumUsage(accounts: readonly JetStreamAccount[]): JetStreamUsage {
  const all = accounts.map(usage);
  const sum = (key: keyof JetStreamUsage): number => all.reduce((total, one) => total + one[key], 0);
  return {
    memory: sum('memory'),
    storage: sum('storage'),
    reservedMemory: sum('reservedMemory'),
    reservedStorage: sum('reservedStorage'),
  };
}

export function accountSnapshot(account: JetStreamAccount): JetStreamAccountSnapshot {
  return {
    ...usage(account),
    reservedMemory: account.limits.maxMemory,
    reservedStorage: account.limits.maxStorage,
    name: account.name,
    id: account.name,
    api: { level: apiLevel, total: account.apiTotal, errors: account.apiErrors },
    streams: (most) => account.sorted().slice(0, most).map(streamSnapshot),
  };
}

function streamSnapshot(stream: Stream): StreamSnapshot {
  const info = json(stream.info({}, false));
  const { fault } = stream.store;
  return {
    name: stream.name,
    created: stream.created,
    config: info['config'] ?? null,
    state: info['state'] ?? null,
    ...(info['mirror'] === undefined ? {} : { mirror: info['mirror'] }),
    ...(info['sources'] === undefined ? {} : { sources: info['sources'] }),
    ...(fault === undefined ? {} : { fault }),
    consumers: (most) => firstOf(stream.consumers.values(), most).map(consumerSnapshot),
  };
}

function firstOf<T>(all: Iterable<T>, most = Infinity): T[] {
  const found: T[] = [];
  for (const one of all) {
    if (found.length >= most) break;
    found.push(one);
  }
  return found;
}

function consumerSnapshot(consumer: Consumer): ConsumerSnapshot {
  return { name: consumer.name, ...(consumer.isDirect ? { direct: true } : {}), info: json(consumer.info(false)) };
}
