// Opening streams that are on disk: read meta.inf, judge whether this server can run it, recover the store, bring the consumers back. What cannot be
// opened is left alone and remembered with the reason.

import { supportsLevel } from '../../core/jetstream/api-level.ts';
import { consumerConfigSchema, type ConsumerConfig } from '../../core/jetstream/consumer-config.ts';
import type { Instant } from '../../core/jetstream/instant.ts';
import { JsonError } from '../../core/jetstream/parse-json.ts';
import { readDocument, type Schema } from '../../core/jetstream/schema.ts';
import { streamConfigSchema, type StreamConfig } from '../../core/jetstream/stream-config.ts';
import type { FoundConsumer, FoundStream } from '../store/store.ts';
import type { JetStreamAccount } from './account.ts';
import { Stream } from './stream.ts';
import { dropTornBatch } from './torn-batch.ts';
import { messageOf } from '../../lib/message-of.ts';

const created = { kind: { is: 'time' } } as const;
const text = { kind: { is: 'string' } } as const;
const streamMetaSchema: Schema = { name: 'StreamMeta', fields: { Created: created, ...streamConfigSchema.fields } };
const consumerMetaSchema: Schema = {
  name: 'ConsumerMeta',
  fields: { Created: created, Name: text, ...consumerConfigSchema.fields },
};

type StreamMeta = StreamConfig & { readonly Created: Instant | undefined };
type ConsumerMeta = ConsumerConfig & { readonly Created: Instant | undefined; readonly Name: string };

/** The configuration of a meta.inf and when the stream was created, or what stands against it. */
export type ReadMeta = { readonly config: StreamConfig; readonly created: Instant | undefined } | { readonly problem: string };

/** Reads a `meta.inf`, or says what is wrong with it. */
export function readStreamMeta(meta: string): ReadMeta {
  try {
    const { Created, ...config } = readDocument(streamMetaSchema, meta, true) as unknown as StreamMeta;
    if (supportsLevel(config.metadata)) return { config, created: Created };
    return { problem: `unsupported - required API level: ${config.metadata['_nats.req.level'] ?? ''}` };
  } catch (thrown) {
    if (thrown instanceof JsonError) return { problem: `meta.inf: ${thrown.message}` };
    throw thrown;
  }
}

/** Opens a stream that was found; one that cannot be opened goes to the account's offline streams. */
export async function recoverStream(account: JetStreamAccount, found: FoundStream): Promise<void> {
  const leave = (reason: string): void => {
    account.offline.set(found.name, reason);
    account.ports.log.warn(`Stream '${account.name} > ${found.name}' is left alone: ${reason}`);
  };
  if (found.problem !== undefined || found.meta === undefined) return leave(found.problem ?? 'meta.inf is missing');
  const read = readStreamMeta(found.meta);
  if ('problem' in read) return leave(read.problem);
  const { config } = read;
  try {
    if (config.storage === 'memory') await (await account.ports.store.recover(account.options(config))).remove();
    else await openFound(account, config, read.created ?? account.ports.clock.wallInstant());
  } catch (thrown) {
    leave(messageOf(thrown));
  }
}

/** Opens the stream's directory with a checked configuration. Rejects when the store cannot. */
export async function openFound(account: JetStreamAccount, config: StreamConfig, at: Instant): Promise<Stream> {
  const store = await account.ports.store.recover(account.options(config));
  const torn = dropTornBatch(store, config);
  if (torn > 0)
    account.ports.log.warn(`Stream '${account.name} > ${config.name}': ${torn} messages of a batch without its end are dropped`);
  const stream = new Stream(account, config, at, store);
  account.enter(stream);
  for (const consumer of store.consumers()) recoverConsumer(stream, consumer);
  stream.open();
  return stream;
}

function recoverConsumer(stream: Stream, found: FoundConsumer): void {
  const { account, ports } = stream;
  const leave = (reason: string): void =>
    ports.log.warn(`Consumer '${account.name} > ${stream.name} > ${found.name}' is left alone: ${reason}`);
  if (found.isUnread === true) stream.hasUnknownConsumer = true;
  if (found.problem !== undefined || found.meta === undefined) return leave(found.problem ?? 'meta.inf is missing');
  try {
    const { Created, Name: _, ...config } = readDocument(consumerMetaSchema, found.meta, true) as unknown as ConsumerMeta;
    if (!supportsLevel(config.metadata))
      return leave(`unsupported - required API level: ${config.metadata['_nats.req.level'] ?? ''}`);
    if (found.damagedState !== undefined) {
      const who = `Consumer '${account.name} > ${stream.name} > ${found.name}'`;
      ports.log.warn(`${who} begins anew: its o.dat cannot be read and is kept as ${found.damagedState}`);
    }
    stream.recoverConsumer(found.name, config, Created ?? ports.clock.wallInstant(), found.state);
  } catch (thrown) {
    if (!(thrown instanceof JsonError)) throw thrown;
    leave(`meta.inf: ${thrown.message}`);
  }
}
