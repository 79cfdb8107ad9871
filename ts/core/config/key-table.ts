// The shape of the tables of configuration keys, and the one function that reads a block by its table. A row says everything about its
// key: other spellings, how its value is read, whether a reload may change it, and what the documentation tells about it.
// Kept true: a key without a row is an error unless some variable referred to it; every spelling belongs to exactly one row.

import type { Entry, ConfigValue } from './config-value.ts';
import type { Reader } from './reader.ts';

/**
 * What a reload may do with a key: `yes` change it at once, `no` nothing (the whole reload fails), `part` some changes (the row's doc
 * says which), `new` change it for what is created from then on.
 */
export type Reloadable = 'yes' | 'no' | 'part' | 'new';

/** How one kind of value is read. `read` answers undefined after it reported what is wrong. */
export interface ValueType<V> {
  /** As the documentation names it. */
  readonly name: string;
  /** The keys inside, when the value is a block or a list of blocks. */
  readonly table?: KeyTable;
  /** A block that says nothing: what an absent one is compared with. */
  readonly blank?: () => V;
  read(value: ConfigValue, reader: Reader, key: string): V | undefined;
}

/** A value that fills more than one field, or one in a way that depends on what is there already. */
export interface SpreadType<T> {
  readonly name: string;
  readonly table?: KeyTable;
  assign(target: T, value: ConfigValue, reader: Reader, key: string): void;
}

interface RowText {
  readonly key: string;
  readonly aliases?: readonly string[];
  readonly reload: Reloadable;
  /** As the documentation shows it; absent: none. */
  readonly default?: string;
  readonly doc: string;
  /** The key is read and checked, but what it asks for is not built yet. */
  readonly status?: 'later';
}

type FieldRow<T> = {
  [Field in keyof T & string]: RowText & { readonly field: Field; readonly type: ValueType<Exclude<T[Field], undefined>> };
}[keyof T & string];

/** `fields` are those that the value may fill, for the reload policy. */
type SpreadRow<T> = RowText & { readonly spread: SpreadType<T>; readonly fields?: readonly (keyof T & string)[] };

export type Row<T> = FieldRow<T> | SpreadRow<T>;

/** A row as the documentation and the reload policy see it: without the type of its block. */
export interface KeyRow extends RowText {
  readonly typeName: string;
  readonly table?: KeyTable;
  readonly blank?: () => unknown;
  /** Fields of the options that the key fills. */
  readonly fields: readonly string[];
}

export interface KeyTable {
  /** The block's key, empty for the top level. */
  readonly name: string;
  readonly rows: readonly KeyRow[];
}

/** A table together with what reads a block by it. */
export interface BlockTable<T> extends KeyTable {
  /** Reads the entries of a map into `target`. */
  fill(target: T, entries: Iterable<Entry>, reader: Reader): void;
}

function keyRow<T>(row: Row<T>): KeyRow {
  const type = 'field' in row ? row.type : row.spread;
  const fields = 'field' in row ? [row.field] : (row.fields ?? []);
  const { key, aliases, reload, doc, status } = row;
  return {
    key,
    reload,
    doc,
    typeName: type.name,
    fields,
    ...(aliases === undefined ? {} : { aliases }),
    ...(row.default === undefined ? {} : { default: row.default }),
    ...(status === undefined ? {} : { status }),
    ...(type.table === undefined ? {} : { table: type.table }),
    ...('blank' in type && type.blank !== undefined ? { blank: type.blank } : {}),
  };
}

function readRow<T>(row: Row<T>, target: T, entry: Entry, reader: Reader): void {
  if ('spread' in row) {
    row.spread.assign(target, entry.value, reader, entry.key);
    return;
  }
  const read = row.type.read(entry.value, reader, row.key) as T[keyof T & string] | undefined;
  if (read !== undefined) target[row.field] = read;
}

export function defineTable<T>(name: string, rows: readonly Row<T>[]): BlockTable<T> {
  const byKey = new Map<string, Row<T>>();
  for (const row of rows) {
    for (const spelling of [row.key, ...(row.aliases ?? [])]) {
      if (byKey.has(spelling)) throw new Error(`key ${spelling} stands twice in the table "${name}"`);
      byKey.set(spelling, row);
    }
  }
  return {
    name,
    rows: rows.map(keyRow),
    fill(target, entries, reader) {
      for (const entry of entries) {
        const row = byKey.get(entry.key.toLowerCase());
        if (row === undefined) {
          if (!entry.referenced) reader.unknownField(entry, byKey.keys());
          continue;
        }
        if (row.status === 'later') reader.pend(name === '' ? row.key : `${name}.${row.key}`);
        readRow(row, target, entry, reader);
      }
    },
  };
}

/** Which row speaks for each field: of several, the one that fills nothing else. */
export function rowOfField(table: KeyTable): ReadonlyMap<string, KeyRow> {
  const rows = new Map<string, KeyRow>();
  for (const row of table.rows) {
    for (const field of row.fields) {
      const known = rows.get(field);
      if (known === undefined || (known.fields.length > 1 && row.fields.length === 1)) rows.set(field, row);
    }
  }
  return rows;
}
