// API levels: which settings need which level of a server, and the metadata that says so. `_nats.req.level` is stored with a
// configuration; `_nats.ver` and `_nats.level` are added to answers only.

import type { ConsumerConfig } from './consumer-config.ts';
import { parseHeaders } from './headers.ts';
import { isZeroInstant } from './instant.ts';
import type { StreamConfig } from './stream-config.ts';

/** The level of nats-server 2.14. */
export const apiLevel = 4;
/** The nats-server version whose behaviour and files this server offers. */
const compatibleVersion = '2.14.5';

type Metadata = Readonly<Record<string, string>>;

const requiredLevel = '_nats.req.level';
const dynamicKeys = ['_nats.ver', '_nats.level'];

function withoutDynamic(metadata: Metadata): Record<string, string> {
  const kept = { ...metadata };
  for (const key of dynamicKeys) delete kept[key];
  return kept;
}

const streamLevels: readonly (readonly [level: number, needs: (config: StreamConfig) => boolean])[] = [
  [1, (config) => config.allow_msg_ttl || config.subject_delete_marker_ttl > 0n],
  [
    2,
    (config) => config.allow_msg_counter || config.allow_atomic || config.allow_msg_schedules || config.persist_mode === 'async',
  ],
  [4, (config) => config.allow_batched],
];

const consumerLevels: readonly (readonly [level: number, needs: (config: ConsumerConfig) => boolean])[] = [
  [1, (config) => config.pause_until !== undefined && !isZeroInstant(config.pause_until)],
  [1, (config) => config.priority_policy !== 'none' || config.priority_timeout !== 0n || config.priority_groups.length > 0],
  [4, (config) => config.ack_policy === 'flow_control'],
];

function levelOf<T>(table: readonly (readonly [number, (config: T) => boolean])[], config: T): string {
  return String(table.reduce((most, [level, needs]) => (level > most && needs(config) ? level : most), 0));
}

/** The metadata that is stored: the client's and the level needed. */
export function storedStreamMetadata(config: StreamConfig): Metadata {
  return { ...withoutDynamic(config.metadata), [requiredLevel]: levelOf(streamLevels, config) };
}

/** As for streams. */
export function storedConsumerMetadata(config: ConsumerConfig): Metadata {
  return { ...withoutDynamic(config.metadata), [requiredLevel]: levelOf(consumerLevels, config) };
}

const shownLevel = String(apiLevel);

/** The metadata of an answer: what is stored and this server's version and level, by name where the client gave none. */
export function shownMetadata(metadata: Metadata): Metadata {
  const shown = { '_nats.level': shownLevel, ...metadata, '_nats.ver': compatibleVersion };
  shown['_nats.level'] = shownLevel;
  return shown;
}

/** Whether a request's headers ask for more than this server's level. */
export function isLevelRefused(headers: Uint8Array): boolean {
  return isAboveLevel(parseHeaders(headers));
}

/** The same of headers that are parsed. */
export function isAboveLevel(headers: ReadonlyMap<string, string>): boolean {
  const level = headers.get('Nats-Required-Api-Level') ?? '';
  return level !== '' && !(/^[+-]?\d+$/.test(level) && Number(level) <= apiLevel);
}

/** Whether this server can run what the metadata asks for. */
export function supportsLevel(metadata: Metadata): boolean {
  const level = metadata[requiredLevel];
  return level === undefined || level === '' || (/^\d+$/.test(level) && Number(level) <= apiLevel);
}
