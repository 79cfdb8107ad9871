// The top-level `jetstream` block.
// Kept true: the store directory is given once in a file, here or at the top level; a block that is present switches JetStream on
// unless it says otherwise.

import { parseDuration } from '../duration.ts';
import { defineTable } from '../key-table.ts';
import type { SpreadType, ValueType } from '../key-table.ts';
import type { JetStreamOptions, JetStreamServerLimits, Options } from '../options.ts';
import { between, bool, duration, integer, oneOf, quotedDuration, size, sizeOrText, spreadBlock, text } from '../value-types.ts';

const lowerText: ValueType<string> = {
  name: text.name,
  read: (value, reader, key) => text.read(value, reader, key)?.trim().toLowerCase(),
};

const batchTable = defineTable<JetStreamServerLimits>('batch', [
  {
    key: 'max_inflight_per_stream',
    field: 'batchMaxInflightPerStream',
    type: integer,
    reload: 'no',
    default: '50',
    doc: 'Batches open in one stream.',
  },
  {
    key: 'max_inflight_total',
    field: 'batchMaxInflightTotal',
    type: integer,
    reload: 'no',
    default: '1000',
    doc: 'Batches open in the whole server.',
  },
  { key: 'max_msgs', field: 'batchMaxMsgs', type: integer, reload: 'no', default: '1000', doc: 'Messages in one batch.' },
  {
    key: 'timeout',
    field: 'batchTimeoutMs',
    type: quotedDuration,
    reload: 'no',
    default: '"10s"',
    doc: 'Time until an open batch is dropped.',
  },
]);

const limitsTable = defineTable<JetStreamServerLimits>('limits', [
  { key: 'max_ack_pending', field: 'maxAckPending', type: integer, reload: 'no', doc: 'Largest that a consumer may ask for.' },
  { key: 'max_ha_assets', field: 'maxHaAssets', type: integer, reload: 'no', doc: 'Replicated streams and consumers here.' },
  { key: 'max_request_batch', field: 'maxRequestBatch', type: integer, reload: 'no', doc: 'Messages one pull may ask for.' },
  { key: 'duplicate_window', field: 'duplicateWindowMs', type: quotedDuration, reload: 'no', doc: 'Longest window of a stream.' },
  {
    key: 'batch',
    reload: 'no',
    doc: 'Atomic batches.',
    spread: spreadBlock(batchTable, (limits) => limits),
  },
]);

/** Both places a store directory may be given write here; the second one is an error. */
export const storeDir: SpreadType<JetStreamOptions> = {
  name: 'string',
  assign(jetstream, value, reader, key) {
    const read = text.read(value, reader, key);
    if (read === undefined) return;
    if (jetstream.storeDir !== '') reader.report(value.at, "duplicate 'store_dir' configuration");
    else jetstream.storeDir = read;
  },
};

/** A negative limit is one that is not given. */
const storeLimit: ValueType<number> = {
  name: sizeOrText.name,
  read(value, reader, key) {
    const read = sizeOrText.read(value, reader, key);
    return read === undefined || read < 0 ? undefined : read;
  },
};

const syncInterval: ValueType<number | 'always'> = {
  name: 'duration or `always`',
  read(value, reader, key) {
    if (value.kind !== 'string') return duration.read(value, reader, key);
    if (value.value.toLowerCase() === 'always') return 'always';
    return parseDuration(value.value) ?? reader.report(value.at, `error parsing ${key}: invalid duration "${value.value}"`);
  },
};

/** Any word is taken, as in nats-server; only these two mean something. */
const extensionHint: ValueType<'' | 'no_extend' | 'will_extend'> = {
  name: '`no_extend`, `will_extend`',
  read(value, reader, key) {
    const read = text.read(value, reader, key);
    return read === 'no_extend' || read === 'will_extend' ? read : '';
  },
};

/** Checked and not kept. */
function unused<V>(type: ValueType<V>): SpreadType<JetStreamOptions> {
  return { name: type.name, assign: (_options, value, reader, key) => void type.read(value, reader, key) };
}

const tpmTable = defineTable<JetStreamOptions>('tpm', [
  {
    key: 'keys_file',
    field: 'tpmKeysFile',
    type: text,
    reload: 'no',
    doc: 'Where the key is kept; a server with one does not start.',
  },
  { key: 'encryption_password', spread: unused(text), reload: 'no', doc: 'Unlocks it.' },
  { key: 'srk_password', spread: unused(text), reload: 'no', doc: 'Password of the storage root key.' },
  { key: 'pcr', spread: unused(integer), reload: 'no', doc: 'Register of the TPM.' },
  { key: 'cipher', spread: unused(text), reload: 'no', doc: 'As that of the block around it.' },
]);

const jetstreamTable = defineTable<JetStreamOptions>('jetstream', [
  {
    key: 'enabled',
    aliases: ['enable'],
    field: 'enabled',
    type: bool,
    reload: 'yes',
    default: 'true when the block is there',
    doc: 'Whether JetStream runs.',
  },
  {
    key: 'store_dir',
    aliases: ['store', 'storedir'],
    spread: storeDir,
    fields: ['storeDir'],
    reload: 'no',
    default: 'a temporary directory',
    doc: 'Where streams are stored, in its folder `jetstream`.',
  },
  {
    key: 'max_memory_store',
    aliases: ['max_mem_store', 'max_mem'],
    field: 'maxMemory',
    type: storeLimit,
    reload: 'part',
    default: '75% of the memory',
    doc: 'Bytes of streams in memory. A reload may increase it.',
  },
  {
    key: 'max_file_store',
    aliases: ['max_file'],
    field: 'maxFile',
    type: storeLimit,
    reload: 'part',
    default: '75% of the free disk',
    doc: 'Bytes of streams on disk. A reload may increase it.',
  },
  {
    key: 'sync_interval',
    aliases: ['sync'],
    field: 'syncIntervalMs',
    type: syncInterval,
    reload: 'no',
    default: 'always',
    doc: '`always`: an acknowledgement means that the message is on disk. A duration: it means that it is written, and disks are synced that often.',
  },
  { key: 'domain', field: 'domain', type: text, reload: 'no', doc: 'Name of this JetStream in a net of several.' },
  { key: 'strict', field: 'strict', type: bool, reload: 'no', default: 'true', doc: 'Requests with unknown fields are refused.' },
  {
    key: 'key',
    aliases: ['ek', 'encryption_key'],
    field: 'key',
    type: text,
    reload: 'no',
    doc: 'Encrypts what is stored.',
  },
  {
    key: 'prev_key',
    aliases: ['prev_ek', 'prev_encryption_key'],
    field: 'prevKey',
    type: text,
    reload: 'no',
    doc: 'The key before; what it encrypted is encrypted again.',
  },
  {
    key: 'cipher',
    field: 'cipher',
    type: oneOf({ chacha: 'chacha', chachapoly: 'chacha', aes: 'aes' } as const),
    reload: 'no',
    default: 'chacha',
    doc: 'How it is encrypted.',
  },
  {
    key: 'tpm',
    reload: 'no',
    fields: ['tpmKeysFile'],
    doc: 'Key in a TPM: Windows only, refused at the start as nats-server does elsewhere.',
    spread: spreadBlock(tpmTable, (jetstream) => jetstream),
  },
  {
    key: 'extension_hint',
    field: 'extensionHint',
    type: extensionHint,
    reload: 'no',
    doc: 'For leaf nodes that share a domain; nothing to a single server.',
  },
  {
    key: 'unique_tag',
    field: 'uniqueTag',
    type: lowerText,
    reload: 'no',
    doc: 'Replicas need different values of the tag with this prefix; nothing to a single server, but monitoring shows it.',
  },
  {
    key: 'limits',
    reload: 'no',
    fields: ['limits'],
    doc: 'Caps on what streams and consumers may ask for, 0 for none.',
    spread: spreadBlock(limitsTable, (jetstream) => jetstream.limits),
  },
  {
    key: 'max_outstanding_catchup',
    field: 'maxOutstandingCatchup',
    type: sizeOrText,
    reload: 'no',
    default: '64MiB',
    doc: 'Bytes on their way to replicas that catch up; nothing to a single server.',
  },
  {
    key: 'max_buffered_size',
    field: 'maxBufferedSize',
    type: sizeOrText,
    reload: 'no',
    default: '128MiB',
    doc: 'Bytes waiting to be stored, a stream; never reached here: what arrives is stored at once, and reading stops while it cannot be.',
  },
  {
    key: 'max_buffered_msgs',
    field: 'maxBufferedMsgs',
    type: integer,
    reload: 'no',
    default: '100000',
    doc: 'Messages waiting to be stored, a stream; never reached here, as before.',
  },
  {
    key: 'request_queue_limit',
    field: 'requestQueueLimit',
    type: integer,
    reload: 'no',
    default: '10000',
    doc: 'API requests waiting for their answer, in the whole server; more are dropped.',
  },
  {
    key: 'info_queue_limit',
    field: 'infoQueueLimit',
    type: integer,
    reload: 'no',
    default: 'as `request_queue_limit`',
    doc: 'The same of requests for information.',
  },
  {
    key: 'meta_compact',
    field: 'metaCompact',
    type: between(0, Infinity),
    reload: 'yes',
    doc: 'Entries until the log of the cluster is compacted; a single server has none.',
  },
  { key: 'meta_compact_size', field: 'metaCompactSize', type: size, reload: 'yes', doc: 'Bytes until then.' },
  {
    key: 'meta_compact_sync',
    field: 'metaCompactSync',
    type: bool,
    reload: 'yes',
    doc: 'Wait for the compaction.',
  },
  {
    key: 'max_concurrent_io',
    field: 'maxConcurrentIo',
    type: between(4, 8192),
    reload: 'no',
    default: '4096',
    doc: 'Disk operations at a time, each a thread of nats-server; never reached here: a few threads do all of them, in rounds.',
  },
]);

const word = oneOf({ enabled: true, enable: true, disabled: false, disable: false });

export const jetstream: SpreadType<Options> = {
  name: 'boolean, `enabled`, `disabled` or map',
  table: jetstreamTable,
  assign(options, value, reader, key) {
    const target = options.jetstream;
    if (value.kind !== 'map') {
      const on = value.kind === 'bool' ? value.value : word.read(value, reader, key);
      if (on !== undefined) target.enabled = on;
      return;
    }
    target.enabled = true;
    jetstreamTable.fill(target, value.entries.values(), reader);
    const hasInfoLimit = [...value.entries.keys()].some((name) => name.toLowerCase() === 'info_queue_limit');
    if (!hasInfoLimit) target.infoQueueLimit = target.requestQueueLimit;
  },
};
