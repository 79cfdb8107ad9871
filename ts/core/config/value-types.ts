// How plain values are read: booleans, integers, strings, durations, sizes, lists, addresses. Blocks combine them in `keys/`.
// Kept true: what nats-server's configuration accepts is accepted, with the same meaning; in particular a bare integer where a
// duration is wanted means seconds and is warned about, because `2m` without quotes is two million, not two minutes.

import { parseDuration } from './duration.ts';
import type { BlockTable, SpreadType, ValueType } from './key-table.ts';
import type { ConfigValue } from './config-value.ts';
import { nearest } from './reader.ts';
import type { Reader } from './reader.ts';

const MAX_INT32 = 2_147_483_647;

export const bool: ValueType<boolean> = {
  name: 'boolean',
  read: (value, reader, key) => (value.kind === 'bool' ? value.value : reader.wrongType(value, key, 'a boolean')),
};

export const text: ValueType<string> = {
  name: 'string',
  read: (value, reader, key) => (value.kind === 'string' ? value.value : reader.wrongType(value, key, 'a string')),
};

export const integer: ValueType<number> = {
  name: 'integer',
  read: (value, reader, key) => (value.kind === 'integer' ? value.value : reader.wrongType(value, key, 'an integer')),
};

/** Bytes, written as an integer that may have a unit. */
export const size: ValueType<number> = { name: 'size', read: integer.read };

/** A size that travels in 32 bits. */
export const size32: ValueType<number> = {
  name: 'size',
  read(value, reader, key) {
    const bytes = integer.read(value, reader, key);
    return bytes !== undefined && bytes > MAX_INT32 ? reader.report(value.at, `${key} value is too big`) : bytes;
  },
};

/** An integer between two bounds, both included. */
export function between(low: number, high: number): ValueType<number> {
  return {
    name: Number.isFinite(high) ? `integer ${low}..${high}` : `integer from ${low}`,
    read(value, reader, key) {
      const read = integer.read(value, reader, key);
      if (read === undefined || (read >= low && read <= high)) return read;
      const wanted = Number.isFinite(high) ? `between ${low} and ${high}` : `${low} or more`;
      return reader.report(value.at, `${key} must be ${wanted}, not ${read}`);
    },
  };
}

const TEXT_UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** A size that may also be a quoted string ending in K, M, G or T (powers of 1024). */
export const sizeOrText: ValueType<number> = {
  name: 'size or "size"',
  read(value, reader, key) {
    if (value.kind === 'integer') return value.value;
    if (value.kind !== 'string') return reader.wrongType(value, key, 'a size');
    if (value.value === '') return 0;
    const unit = TEXT_UNITS[value.value.slice(-1)];
    if (unit === undefined) return reader.report(value.at, `${key} sizes defined as strings must end in K, M, G or T`);
    const digits = value.value.slice(0, -1);
    return /^[+-]?\d+$/.test(digits) ? Number(digits) * unit : reader.report(value.at, `${key}: "${value.value}" is no size`);
  },
};

function durationText(value: ConfigValue & { kind: 'string' }, reader: Reader, key: string): number | undefined {
  const ms = parseDuration(value.value);
  return ms ?? reader.report(value.at, `error parsing ${key}: invalid duration "${value.value}"`);
}

/** Milliseconds from a string; an integer means seconds. */
export const duration: ValueType<number> = {
  name: 'duration',
  read(value, reader, key) {
    if (value.kind === 'string') return durationText(value, reader, key);
    if (value.kind !== 'integer') return reader.wrongType(value, key, 'a duration');
    reader.warn(value.at, `${key} is the integer ${value.value}, taken as seconds; write a duration in quotes, like "2m"`);
    return value.value * 1_000;
  },
};

/** A duration that must be a string. */
export const quotedDuration: ValueType<number> = {
  name: 'duration',
  read: (value, reader, key) =>
    value.kind === 'string' ? durationText(value, reader, key) : reader.wrongType(value, key, 'a duration like "30s"'),
};

/** Seconds as a number, or a duration as a string. */
export const plainSeconds: ValueType<number> = {
  name: 'seconds or duration',
  read(value, reader, key) {
    if (value.kind === 'integer' || value.kind === 'float') return value.value * 1_000;
    return value.kind === 'string' ? durationText(value, reader, key) : reader.wrongType(value, key, 'seconds or a duration');
  },
};

/** The same; more than a minute is warned about. */
export const seconds: ValueType<number> = {
  name: plainSeconds.name,
  read(value, reader, key) {
    const ms = plainSeconds.read(value, reader, key);
    if (ms !== undefined && ms > 60_000) reader.warn(value.at, `${key} of ${ms / 1_000} seconds is high`);
    return ms;
  },
};

/** One of some words; `words` maps the accepted spellings, in lower case, to the meaning. */
export function oneOf<V>(words: Readonly<Record<string, V>>): ValueType<V> {
  const spellings = Object.keys(words).filter((word) => word !== '');
  return {
    name: spellings.map((word) => `\`${word}\``).join(', '),
    read(value, reader, key) {
      if (value.kind !== 'string') return reader.wrongType(value, key, `one of ${spellings.join(', ')}`);
      const word = value.value.toLowerCase();
      if (Object.hasOwn(words, word)) return words[word];
      const meant = nearest(word, spellings);
      const hint = meant === undefined ? '' : `, did you mean "${meant}"?`;
      return reader.report(value.at, `${key} must be one of ${spellings.join(', ')}, not "${value.value}"${hint}`);
    },
  };
}

/** A list of strings, or one string alone. */
export const texts: ValueType<string[]> = {
  name: 'string or list',
  read(value, reader, key) {
    if (value.kind === 'string') return [value.value];
    return value.kind === 'array' ? readItems(value, reader, key) : reader.wrongType(value, key, 'a string or a list of strings');
  },
};

/** A list of strings, brackets required. */
export const textList: ValueType<string[]> = {
  name: 'list of strings',
  read: (value, reader, key) =>
    value.kind === 'array' ? readItems(value, reader, key) : reader.wrongType(value, key, 'a list of strings'),
};

function readItems(value: ConfigValue & { kind: 'array' }, reader: Reader, key: string): string[] {
  const items: string[] = [];
  for (const item of value.items) {
    const read = text.read(item, reader, key);
    if (read !== undefined) items.push(read);
  }
  return items;
}

/** A map whose keys are names of the user's choosing and whose values are all of one kind. */
export function record<V>(of: ValueType<V>): ValueType<Record<string, V>> {
  return {
    name: `map of ${of.name}`,
    read(value, reader, key) {
      if (value.kind !== 'map') return reader.wrongType(value, key, 'a map');
      const read: [string, V][] = [];
      for (const entry of value.entries.values()) {
        const one = of.read(entry.value, reader, entry.key);
        if (one !== undefined) read.push([entry.key, one]);
      }
      return Object.fromEntries(read);
    },
  };
}

/** A block read by its table into a fresh value. */
export function block<T>(
  table: BlockTable<T>,
  make: () => T,
  check?: (read: T, value: ConfigValue, reader: Reader) => void,
): ValueType<T> {
  return {
    name: 'map',
    table,
    blank: make,
    read(value, reader, key) {
      if (value.kind !== 'map') return reader.wrongType(value, key, 'a map');
      const read = make();
      table.fill(read, value.entries.values(), reader);
      check?.(read, value, reader);
      return read;
    },
  };
}

/** A block read by its table into a part of what it stands in. */
export function spreadBlock<T, P>(table: BlockTable<P>, partOf: (target: T) => P): SpreadType<T> {
  return {
    name: 'map',
    table,
    assign(target, value, reader, key) {
      if (value.kind === 'map') table.fill(partOf(target), value.entries.values(), reader);
      else reader.wrongType(value, key, 'a map');
    },
  };
}

/** A list of such blocks. */
export function blocks<T>(of: ValueType<T>): ValueType<T[]> {
  return {
    name: 'list of maps',
    ...(of.table === undefined ? {} : { table: of.table }),
    read(value, reader, key) {
      if (value.kind !== 'array') return reader.wrongType(value, key, 'a list of maps');
      const read: T[] = [];
      for (const item of value.items) {
        const one = of.read(item, reader, key);
        if (one !== undefined) read.push(one);
      }
      return read;
    },
  };
}

export interface HostPort {
  host: string;
  port: number;
}

/** `host:port` as Go splits it; an IPv6 address needs brackets. */
export function splitHostPort(address: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(address);
  return match === null ? undefined : { host: match[1] ?? match[2] ?? '', port: match[3] ?? '' };
}

export function readHostPort(value: ConfigValue, reader: Reader): { host?: string; port: number } | undefined {
  if (value.kind === 'integer') return { port: value.value };
  if (value.kind !== 'string') return reader.report(value.at, 'expected port or host:port');
  const parts = splitHostPort(value.value);
  if (parts === undefined) return reader.report(value.at, `could not parse address string "${value.value}"`);
  if (!/^[+-]?\d+$/.test(parts.port)) return reader.report(value.at, `could not parse port "${parts.port}"`);
  return { host: parts.host, port: Number(parts.port) };
}

/** A port, or host and port, for a block with `host` and `port`. */
export function listen<T extends HostPort>(): SpreadType<T> {
  return {
    name: 'port or host:port',
    assign(target, value, reader) {
      const read = readHostPort(value, reader);
      if (read === undefined) return;
      target.port = read.port;
      if (read.host !== undefined && read.host !== '') target.host = read.host;
    },
  };
}
