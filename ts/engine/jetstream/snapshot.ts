// JetStream as monitoring sees it, read from the engine when asked.

import type {
  ConsumerSnapshot,
  JetStreamAccountSnapshot,
  JetStreamConfigSnapshot,
  JetStreamSnapshot,
  Json,
  StreamSnapshot,
} from '../snapshot.ts';
import type { JetStreamAccount } from './account.ts';
import type { JetStream } from './jetstream.ts';
import type { Stream } from './stream.ts';

const API_LEVEL = 4;

function json(document: unknown): { readonly [key: string]: Json | undefined } {
  return document as { readonly [key: string]: Json | undefined };
}

function streamSnapshot(stream: Stream): StreamSnapshot {
  const info = json(stream.info({}, true));
  const { fault } = stream.store;
  return {
    name: stream.name,
    created: stream.created,
    config: info['config'] ?? null,
    state: info['state'] ?? null,
    ...(fault === undefined ? {} : { fault }),
    consumers: () =>
      [...stream.consumers.values()].map((consumer): ConsumerSnapshot => ({
        name: consumer.name,
        info: json(consumer.info(true)),
      })),
  };
}

function usage(
  account: JetStreamAccount,
): Pick<JetStreamAccountSnapshot, 'memory' | 'storage' | 'reservedMemory' | 'reservedStorage'> {
  const used = { memory: 0, storage: 0 };
  for (const stream of account.streams.values()) {
    used[stream.config.storage === 'memory' ? 'memory' : 'storage'] += stream.store.state.bytes;
  }
  return { ...used, reservedMemory: account.reserved('memory'), reservedStorage: account.reserved('file') };
}

function accountSnapshot(account: JetStreamAccount): JetStreamAccountSnapshot {
  return {
    name: account.name,
    id: account.name,
    ...usage(account),
    api: { level: API_LEVEL, total: account.apiTotal, errors: account.apiErrors },
    streams: () => account.sorted().map(streamSnapshot),
  };
}

export function jetStreamSnapshot(engine: JetStream, config: JetStreamConfigSnapshot): JetStreamSnapshot {
  const accounts = [...engine.accounts.values()];
  const streams = accounts.flatMap((account) => [...account.streams.values()]);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const usages = accounts.map(usage);
  return {
    config,
    memory: sum(usages.map((row) => row.memory)),
    storage: sum(usages.map((row) => row.storage)),
    reservedMemory: sum(usages.map((row) => row.reservedMemory)),
    reservedStorage: sum(usages.map((row) => row.reservedStorage)),
    haAssets: 0,
    api: {
      level: API_LEVEL,
      total: sum(accounts.map((account) => account.apiTotal)),
      errors: sum(accounts.map((account) => account.apiErrors)),
    },
    streams: streams.length,
    consumers: sum(accounts.map((account) => account.consumerCount())),
    messages: sum(streams.map((stream) => stream.store.state.messages)),
    bytes: sum(streams.map((stream) => stream.store.state.bytes)),
    accounts: () => accounts.map(accountSnapshot),
  };
}
