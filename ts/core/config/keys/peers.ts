// Keys that blocks of peers (clusters, gateways, leaf nodes) share: compression, write timeouts, URLs of other servers.
// Kept true: a URL that gets through has a host and, when it names one, a numeric port.

import type { ConfigValue } from '../config-value.ts';
import { parseDuration } from '../duration.ts';
import { defineTable } from '../key-table.ts';
import type { ValueType } from '../key-table.ts';
import type { CompressionMode, CompressionOptions, WriteTimeout } from '../options-network.ts';
import type { Reader } from '../reader.ts';
import { block, oneOf, text } from '../value-types.ts';

export const writeTimeout: ValueType<WriteTimeout> = oneOf({ default: 'default', close: 'close', retry: 'retry' } as const);

const DEFAULT_THRESHOLDS_MS: readonly number[] = [10, 50, 100];

/** What the words mean; `on` depends on where it stands. */
function compressionWords(on: CompressionMode): Readonly<Record<string, CompressionMode>> {
  return {
    off: 'off',
    disabled: 'off',
    false: 'off',
    accept: 'accept',
    on,
    enabled: on,
    true: on,
    s2_fast: 's2_fast',
    fast: 's2_fast',
    s2_better: 's2_better',
    better: 's2_better',
    s2_best: 's2_best',
    best: 's2_best',
    s2_auto: 's2_auto',
    auto: 's2_auto',
    s2_uncompressed: 's2_uncompressed',
    'not supported': 'not supported',
  };
}

const thresholds: ValueType<number[]> = {
  name: 'list of durations',
  read(value, reader, key) {
    if (value.kind !== 'array') return reader.wrongType(value, key, 'a list of durations');
    const read: number[] = [];
    for (const item of value.items) {
      const ms = item.kind === 'string' ? parseDuration(item.value) : item.kind === 'integer' ? item.value * 1_000 : undefined;
      if (ms === undefined) reader.report(value.at, `error parsing ${key}: expected a list of durations`);
      else read.push(ms);
    }
    return read;
  },
};

export function compression(on: CompressionMode): ValueType<CompressionOptions> {
  const mode = oneOf(compressionWords(on));
  const table = defineTable<CompressionOptions>('compression', [
    { key: 'mode', field: 'mode', type: mode, reload: 'yes', doc: 'How.' },
    {
      key: 'rtt_thresholds',
      aliases: ['thresholds', 'rtts', 'rtt'],
      field: 'rttThresholdsMs',
      type: thresholds,
      reload: 'yes',
      default: '[10ms, 50ms, 100ms]',
      doc: 'With `s2_auto`: round trips from which compression is fast, better, best.',
    },
  ]);
  const map = block<CompressionOptions>(
    table,
    () => ({ mode: on, rttThresholdsMs: [] }),
    (read) => {
      if (read.mode === 's2_auto' && read.rttThresholdsMs.length === 0) read.rttThresholdsMs = [...DEFAULT_THRESHOLDS_MS];
    },
  );
  return {
    name: 'mode, boolean or map',
    table,
    read(value, reader, key) {
      if (value.kind === 'bool') return withMode(value.value ? on : 'off');
      if (value.kind === 'map') return map.read(value, reader, key);
      const read = mode.read(value, reader, key);
      return read === undefined ? undefined : withMode(read);
    },
  };
}

export function withMode(mode: CompressionMode): CompressionOptions {
  return { mode, rttThresholdsMs: mode === 's2_auto' ? [...DEFAULT_THRESHOLDS_MS] : [] };
}

/** `scheme://user:pass@host:port/path`, loosely, as Go's parser takes it. */
export function isPeerUrl(url: string): boolean {
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/.exec(url);
  // Without a scheme nothing may look like one: no colon before the first slash.
  if (match === null) return !/^[^/?#]*:/.test(url) && !/[\s\u0000-\u001f]/.test(url);
  const rest = match[2] ?? '';
  if (!rest.startsWith('//')) return true;
  const authority = rest.slice(2).split(/[/?#]/)[0] ?? '';
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return /^(\[[0-9a-fA-F:.%]+\]|[^:[\]\s]*)(:\d*)?$/.test(host);
}

function checkedUrl(value: ConfigValue, reader: Reader, what: string): string | undefined {
  const url = text.read(value, reader, 'url');
  if (url === undefined || isPeerUrl(url)) return url;
  return reader.report(value.at, `error parsing ${what} url ["${url}"]`);
}

/** A list of URLs; one that stands twice is dropped with a warning. */
export function urlList(what: string): ValueType<string[]> {
  return {
    name: 'list of URLs',
    read(value, reader, key) {
      if (value.kind !== 'array') return reader.wrongType(value, key, 'a list of URLs');
      const urls: string[] = [];
      for (const item of value.items) {
        const url = checkedUrl(item, reader, what);
        if (url === undefined) continue;
        if (urls.includes(url)) reader.warn(item.at, `duplicate ${what} entry detected: ${url}`);
        else urls.push(url);
      }
      return urls;
    },
  };
}

/** One URL, kept as a list of one. */
export function oneUrl(what: string): ValueType<string[]> {
  return {
    name: 'URL',
    read(value, reader) {
      const url = checkedUrl(value, reader, what);
      return url === undefined ? undefined : [url];
    },
  };
}
