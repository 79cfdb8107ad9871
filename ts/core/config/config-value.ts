// The value tree a configuration file is parsed into, before any key has a meaning, and its JSON text, from which the digest is made.
// Kept true: the JSON text is byte for byte what Go's encoder writes for the same tree (sorted keys, escaped <, > and &), so that
// the digest of a file is the same as nats-server's.

import type { Position } from './config-error.ts';

export interface BoolValue {
  readonly kind: 'bool';
  readonly value: boolean;
  readonly at: Position;
}
/** An int64. `value` is rounded beyond 2^53, `exact` is not. */
export interface IntegerValue {
  readonly kind: 'integer';
  readonly value: number;
  readonly exact: bigint;
  readonly at: Position;
}
export interface FloatValue {
  readonly kind: 'float';
  readonly value: number;
  readonly at: Position;
}
export interface StringValue {
  readonly kind: 'string';
  readonly value: string;
  readonly at: Position;
}
export interface DatetimeValue {
  readonly kind: 'datetime';
  readonly value: string;
  readonly at: Position;
}
export interface ArrayValue {
  readonly kind: 'array';
  readonly items: readonly ConfigValue[];
  readonly at: Position;
}
export interface MapValue {
  readonly kind: 'map';
  readonly entries: Map<string, Entry>;
  readonly at: Position;
}
export type ConfigValue = BoolValue | IntegerValue | FloatValue | StringValue | DatetimeValue | ArrayValue | MapValue;

/** One key of a map. A key that some `$variable` referred to needs no meaning of its own. */
export interface Entry {
  readonly key: string;
  readonly value: ConfigValue;
  referenced: boolean;
}

/** The same value at another place: what a variable stands for is reported where it is used. */
export function valueAt(value: ConfigValue, at: Position): ConfigValue {
  return { ...value, at };
}

export interface Extent {
  /** Values inside, the value itself included. */
  readonly count: number;
  /** Levels of lists and maps. */
  readonly depth: number;
}

const SCALAR: Extent = { count: 1, depth: 0 };
const extents = new WeakMap<object, Extent>();

/** How large a value is. Parts that occur several times are counted each time but visited once. */
export function extentOf(value: ConfigValue): Extent {
  if (value.kind !== 'array' && value.kind !== 'map') return SCALAR;
  const inside = value.kind === 'array' ? value.items : value.entries;
  const known = extents.get(inside);
  if (known !== undefined) return known;
  const parts = value.kind === 'array' ? value.items : [...value.entries.values()].map((entry) => entry.value);
  const extent = parts
    .map(extentOf)
    .reduce((sum, part) => ({ count: sum.count + part.count, depth: Math.max(sum.depth, part.depth + 1) }), {
      count: 1,
      depth: 1,
    });
  extents.set(inside, extent);
  return extent;
}

const GO_ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function jsonString(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (found) => GO_ESCAPES[found] ?? found);
}

function byCodePoint(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

export function configJson(value: ConfigValue): string {
  switch (value.kind) {
    case 'bool':
      return String(value.value);
    case 'integer':
      return value.exact.toString();
    case 'float':
      return JSON.stringify(value.value);
    case 'string':
    case 'datetime':
      return jsonString(value.value);
    case 'array':
      return `[${value.items.map(configJson).join(',')}]`;
    case 'map': {
      const entries = [...value.entries.values()].sort((a, b) => byCodePoint(a.key, b.key));
      return `{${entries.map((entry) => `${jsonString(entry.key)}:${configJson(entry.value)}`).join(',')}}`;
    }
  }
}
