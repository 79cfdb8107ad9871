// Whom the server trusts beside its own users: operators and their account resolver, trusted proxies, OCSP.
// Kept true: only form is checked here; JWTs are read, and files opened, by the parts that use them.

import type { ConfigValue } from '../config-value.ts';
import { defineTable } from '../key-table.ts';
import { defaultOcspCache } from '../options-default.ts';
import type { SpreadType, ValueType } from '../key-table.ts';
import { decodeNkey, decodeSigningNkey } from '../../../lib/nkey.ts';
import type { OcspCacheOptions, OcspOptions, Options, ResolverOptions } from '../options.ts';
import type { Reader } from '../reader.ts';
import { block, blocks, bool, integer, oneOf, plainSeconds, record, text, texts } from '../value-types.ts';

export const operatorKeys: ValueType<string[]> = {
  name: 'public operator nkey or list',
  read(value, reader, key) {
    const read = texts.read(value, reader, key);
    const wrong = read?.filter((one) => decodeNkey('operator', one) === undefined) ?? [];
    for (const one of wrong) reader.report(value.at, `trust key "${one}" required to be a valid public operator nkey`);
    return wrong.length > 0 ? undefined : read;
  },
};

/** Three parts of base64url, the first of which says JWT. */
function looksLikeJwt(written: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(written.trim());
}

export const preload: ValueType<Record<string, string>> = {
  name: 'map of account key to JWT',
  read(value, reader, key) {
    const read = record(text).read(value, reader, key);
    if (value.kind !== 'map' || read === undefined) return read;
    for (const entry of value.entries.values()) {
      if (entry.value.kind === 'string' && !looksLikeJwt(entry.value.value)) reader.report(entry.value.at, 'invalid account JWT');
    }
    return read;
  },
};

const RESOLVER_TIMEOUT_MS = 1_900;

export function emptyResolver(type: ResolverOptions['type'], url = ''): ResolverOptions {
  return {
    type,
    url,
    dir: '',
    allowDelete: false,
    hardDelete: false,
    intervalMs: 60_000,
    limit: 0,
    ttlMs: 0,
    timeoutMs: RESOLVER_TIMEOUT_MS,
  };
}

const resolverTable = defineTable<ResolverOptions>('resolver', [
  {
    key: 'type',
    field: 'type',
    type: oneOf({ full: 'full', cache: 'cache', memory: 'memory', mem: 'memory' } as const),
    reload: 'part',
    doc: 'Keep all accounts, some, or only those in the configuration.',
  },
  { key: 'dir', field: 'dir', type: text, reload: 'part', doc: 'Directory of the account JWTs.' },
  { key: 'allow_delete', field: 'allowDelete', type: bool, reload: 'part', default: 'false', doc: 'Accounts may be deleted.' },
  {
    key: 'hard_delete',
    field: 'hardDelete',
    type: bool,
    reload: 'part',
    default: 'false',
    doc: 'Their files are removed, not renamed.',
  },
  {
    key: 'interval',
    field: 'intervalMs',
    type: plainSeconds,
    reload: 'part',
    default: '1 min',
    doc: 'Time between comparisons with other servers.',
  },
  { key: 'limit', field: 'limit', type: integer, reload: 'part', doc: 'Accounts kept.' },
  { key: 'ttl', field: 'ttlMs', type: plainSeconds, reload: 'part', doc: 'How long one is kept.' },
  {
    key: 'timeout',
    field: 'timeoutMs',
    type: plainSeconds,
    reload: 'part',
    default: '1.9 s',
    doc: 'Time for other servers to answer.',
  },
]);

/** Keys that a kind of resolver does not know. */
const NOT_FOR: Readonly<Record<'full' | 'cache', readonly string[]>> = {
  full: ['ttl'],
  cache: ['interval', 'allow_delete', 'hard_delete'],
};

const resolverMap = block<ResolverOptions>(
  resolverTable,
  () => emptyResolver('memory'),
  (read, value, reader) => {
    if (value.kind !== 'map' || read.type === 'memory' || read.type === 'url') return;
    if (read.dir === '') reader.report(value.at, 'dir has no value and needs to point to a directory');
    for (const key of NOT_FOR[read.type]) {
      if (value.entries.has(key)) reader.report(value.at, `${read.type.toUpperCase()} does not accept ${key}`);
    }
    if (read.type === 'cache' && read.limit === 0) read.limit = 1_000;
  },
);

/** A resolver tolerates keys it does not know, as in nats-server. */
function withoutUnknown(value: ConfigValue & { kind: 'map' }): ConfigValue {
  const known = new Set(resolverTable.rows.map(({ key }) => key));
  const entries = new Map([...value.entries].filter(([key]) => known.has(key.toLowerCase())));
  return { kind: 'map', entries, at: value.at };
}

export const resolver: ValueType<ResolverOptions> = {
  name: '`MEMORY`, `URL(...)` or map',
  table: resolverTable,
  read(value, reader, key) {
    if (value.kind === 'map') return resolverMap.read(withoutUnknown(value), reader, key);
    const read = text.read(value, reader, key);
    if (read === undefined) return undefined;
    if (/^mem(ory)?$/i.test(read)) return emptyResolver('memory');
    const url = /^url\((.*)\)$/i.exec(read)?.[1];
    if (url !== undefined) return emptyResolver('url', url.trim().replace(/^"(.*)"$/, '$1'));
    return reader.report(value.at, 'error parsing account resolver, expected MEMORY, URL(...) or a map with type and dir');
  },
};

interface ProxiesDraft {
  trusted: { key: string }[];
}

const proxyKey: ValueType<string> = {
  name: 'public nkey',
  read(value, reader, key) {
    const read = text.read(value, reader, key);
    if (read === undefined || decodeSigningNkey(read) !== undefined) return read;
    return reader.report(value.at, `invalid proxy key "${read}"`);
  },
};

const trustedTable = defineTable<{ key: string }>('trusted', [
  {
    key: 'key',
    aliases: ['public_key'],
    field: 'key',
    type: proxyKey,
    reload: 'yes',
    doc: 'Public nkey of the proxy.',
  },
]);
const proxiesTable = defineTable<ProxiesDraft>('proxies', [
  {
    key: 'trusted',
    field: 'trusted',
    type: blocks(block(trustedTable, () => ({ key: '' }))),
    reload: 'yes',
    doc: 'Proxies that may vouch for clients.',
  },
]);
const proxiesMap = block<ProxiesDraft>(proxiesTable, () => ({ trusted: [] }));

export const proxies: SpreadType<Options> = {
  name: 'map',
  table: proxiesTable,
  assign(options, value, reader, key) {
    const read = proxiesMap.read(value, reader, key);
    if (read !== undefined) options.trustedProxies = read.trusted.map((one) => one.key);
  },
};

const ocspTable = defineTable<OcspOptions>('ocsp', [
  {
    key: 'mode',
    field: 'mode',
    type: oneOf({ auto: 'auto', always: 'always', must: 'must', never: 'never' } as const),
    reload: 'yes',
    default: 'auto',
    doc: 'When a status is stapled to our certificate.',
  },
  { key: 'url', field: 'urls', type: texts, reload: 'yes', doc: 'Responder.' },
  { key: 'urls', field: 'urls', type: texts, reload: 'yes', doc: 'Several responders.' },
]);
const ocspMap = block<OcspOptions>(ocspTable, () => ({ mode: 'auto', urls: [] }));

export const ocsp: ValueType<OcspOptions> = {
  name: 'boolean or map',
  table: ocspTable,
  read: (value, reader, key) =>
    value.kind === 'bool' ? { mode: value.value ? 'auto' : 'never', urls: [] } : ocspMap.read(value, reader, key),
};

const MIN_SAVE_INTERVAL_MS = 1_000;

const saveInterval: ValueType<number> = {
  name: plainSeconds.name,
  read(value: ConfigValue, reader: Reader, key: string) {
    const ms = plainSeconds.read(value, reader, key);
    return ms === undefined ? undefined : Math.max(ms, MIN_SAVE_INTERVAL_MS);
  },
};

const ocspCacheTable = defineTable<OcspCacheOptions>('ocsp_cache', [
  {
    key: 'type',
    field: 'type',
    type: oneOf({ local: 'local', none: 'none' } as const),
    reload: 'yes',
    default: 'local',
    doc: 'Where answers are kept.',
  },
  { key: 'local_store', field: 'localStore', type: text, reload: 'yes', default: '_rc_', doc: 'Directory.' },
  {
    key: 'preserve_revoked',
    field: 'preserveRevoked',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Revoked ones are never dropped.',
  },
  {
    key: 'save_interval',
    field: 'saveIntervalMs',
    type: saveInterval,
    reload: 'yes',
    default: '5 min',
    doc: 'Time between writes, at least 1 s.',
  },
]);
const ocspCacheMap = block<OcspCacheOptions>(ocspCacheTable, defaultOcspCache);

export const ocspCache: ValueType<OcspCacheOptions> = {
  name: 'boolean or map',
  table: ocspCacheTable,
  read: (value, reader, key) =>
    value.kind === 'bool'
      ? { ...defaultOcspCache(), type: value.value ? 'local' : 'none' }
      : ocspCacheMap.read(value, reader, key),
};
