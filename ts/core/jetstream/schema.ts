// Documents by table: a schema lists the fields of a document in the order nats-server writes them, with their kinds. Reading
// (strict about unknown fields, lenient about case, with nats-server's words for what does not fit), writing (which zero
// values are left out) and comparing all follow the same table, so that they cannot disagree.

import { orderedMembers } from '../../lib/json-text.ts';
import { formatInstant, parseInstant, type Instant } from './instant.ts';
import { JsonError, parseJson, parseJsonValues, type JsonNode } from './parse-json.ts';
import { timeProblem } from './time-problem.ts';

export type IntegerType = 'int' | 'int32' | 'int64' | 'uint64';

export type Kind =
  | { readonly is: 'string' | 'bool' | 'duration' | 'time' | 'bytes' | 'texts' }
  /** Read over: nothing is made of it. */
  | { readonly is: 'any' }
  | { readonly is: 'integer'; readonly type: IntegerType }
  | {
      readonly is: 'choice';
      readonly values: readonly string[];
      readonly complaint: (quoted: string) => string;
      readonly omitFirst?: boolean;
      /** Read as the first value. */
      readonly emptyIsFirst?: boolean;
      /** Other kinds of value are named by kind, as for any text. */
      readonly isText?: boolean;
      /** Another word for the first value. */
      readonly alias?: string;
    }
  | { readonly is: 'list'; readonly of: Kind; readonly goType: string }
  | { readonly is: 'document'; readonly schema: Schema; readonly optional: boolean };

export interface Field {
  readonly kind: Kind;
  /** Whether the zero value is written; nats-server leaves most out. */
  readonly always?: boolean;
  /** Of the document itself where the others are of the one it extends: errors name it without the prefix. */
  readonly own?: boolean;
}

export interface Schema {
  /** The name that type errors give this document. */
  readonly name: string;
  /** What type errors put before the path of a field, for documents that extend another one. */
  readonly prefix?: string;
  readonly fields: Readonly<Record<string, Field>>;
}

export type Document = Record<string, unknown>;

/**
 * Where a document keeps the integers that are too large for a number, by their names. The field itself then has the largest exact number,
 * which means the same to whoever reckons with it; writing tells the integer that was given, as long as the field is not changed.
 */
const large = Symbol('large');

type WithLarge = Document & { [large]?: Record<string, bigint> };

const ranges: Readonly<Record<IntegerType, readonly [bigint, bigint]>> = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};
const goTypes: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'bool',
  duration: 'time.Duration',
  bytes: '[]uint8',
  texts: 'map[string]string',
};

/** The first value that does not fit where it stands: reading goes on behind it, because a value that cannot be made sense of at all is told first. */
interface Misfit {
  text: string | undefined;
}

interface Place {
  readonly text: string;
  readonly strict: boolean;
  readonly struct: string;
  readonly path: string;
  readonly misfit: Misfit;
}

/** Reads a document. Every field of the schema is set in the answer; absent ones are zero. Throws JsonError with the text for error 10025. */
export function readDocument(schema: Schema, text: string, strict: boolean): Document {
  return readInto(emptyDocument(schema), schema, parseJson(text), text, strict);
}

/** The same of a text that may hold several documents: what one says stands unless a later one says otherwise. */
export function readDocuments(schema: Schema, text: string, strict: boolean): Document {
  let document = emptyDocument(schema);
  for (const node of parseJsonValues(text)) document = readInto(document, schema, node, text, strict);
  return document;
}

function readInto(document: Document, schema: Schema, node: JsonNode, text: string, strict: boolean): Document {
  if (node.kind === 'null') return document;
  if (node.kind !== 'object')
    throw new JsonError(`json: cannot unmarshal ${node.kind} into Go value of type server.${schema.name}`);
  const misfit: Misfit = { text: undefined };
  readMembers(document, schema, node, { text, strict, struct: schema.name, path: schema.prefix ?? '', misfit });
  if (misfit.text !== undefined) throw new JsonError(misfit.text);
  return document;
}

interface Row {
  readonly name: string;
  readonly kind: Kind;
  readonly always: boolean;
  readonly own: boolean;
  /** Zero, where that is one value; undefined where it is an empty one of many. */
  readonly zero: unknown;
  /** JSON has the value as it is. */
  readonly isPlain: boolean;
}

/**
 * A schema made ready, once: its fields in a row, and what documents begin as, so that all of them have one shape. Servers that have just started
 * make streams by the thousand with code that V8 has not yet compiled: it looks up nothing twice and makes nothing that does not stay.
 */
interface Rows {
  readonly rows: readonly Row[];
  readonly byName: ReadonlyMap<string, Row>;
  /** Those whose zero value is an object of its own. */
  readonly own: readonly Row[];
  /** An empty document, and one of which nothing is written. */
  readonly empty: Document;
  readonly unwritten: Document;
}

const ready = new WeakMap<Schema, Rows>();

function rowOf([name, { kind, always, own }]: readonly [string, Field]): Row {
  const zero = zeroOf(kind);
  const isPlain =
    kind.is === 'string' || kind.is === 'bytes' || kind.is === 'bool' || kind.is === 'integer' || kind.is === 'choice';
  return { name, kind, always: always === true, own: own === true, zero: typeof zero === 'object' ? undefined : zero, isPlain };
}

function rowsOf(schema: Schema): Rows {
  let found = ready.get(schema);
  if (found === undefined) {
    const rows = Object.entries(schema.fields).map(rowOf);
    const empty = Object.fromEntries(rows.map(({ name, kind }) => [name, zeroOf(kind)]));
    const unwritten = Object.fromEntries(rows.map(({ name }) => [name, undefined]));
    const byName = new Map(rows.map((row) => [row.name, row]));
    found = { rows, byName, own: rows.filter(({ name }) => typeof empty[name] === 'object'), empty, unwritten };
    ready.set(schema, found);
  }
  return found;
}

/** A document in which every field has its zero value. */
export function emptyDocument(schema: Schema): Document {
  const { empty, own } = rowsOf(schema);
  const out = { ...empty };
  for (let at = 0; at < own.length; at++) {
    const { name, kind } = own[at] as Row;
    out[name] = zeroOf(kind);
  }
  return out;
}

function zeroOf(kind: Kind): unknown {
  switch (kind.is) {
    case 'string':
    case 'bytes':
      return '';
    case 'bool':
      return false;
    case 'integer':
      return 0;
    case 'duration':
      return 0n;
    case 'choice':
      return kind.values[0];
    case 'list':
      return [];
    case 'texts':
      return {};
    case 'time':
    case 'any':
      return undefined;
    case 'document':
      return kind.optional ? undefined : emptyDocument(kind.schema);
  }
}

/** Reads members into `out`: a member that comes again is put over what it was before. */
function readMembers(out: WithLarge, schema: Schema, node: JsonNode & { kind: 'object' }, place: Place): Document {
  const { text, strict, struct, path, misfit } = place;
  const { byName } = rowsOf(schema);
  for (const [given, value] of node.members) {
    const row = byName.get(given) ?? byName.get(given.toLowerCase());
    if (row === undefined) {
      if (strict) misfit.text ??= `json: unknown field ${JSON.stringify(given)}`;
    } else {
      const { name, kind } = row;
      const read = readKind(kind, value, out[name], { text, strict, struct, path: pathOf(path, row), misfit });
      out[name] = kind.is === 'integer' ? exact(out, name, read as bigint | number) : read;
    }
  }
  return out;
}

function pathOf(prefix: string, { name, own }: Row): string {
  return prefix === '' || own ? name : `${prefix}.${name}`;
}

function mismatch(node: JsonNode, type: string, place: Place, what: string = node.kind): string {
  return `json: cannot unmarshal ${what} into Go struct field ${place.struct}.${place.path} of type ${type}`;
}

/** What is read of a value that does not fit. */
function misfit(kind: Kind, node: JsonNode, type: string, place: Place, what?: string): unknown {
  place.misfit.text ??= mismatch(node, type, place, what);
  return zeroOf(kind);
}

/** What `null` leaves of what was read before: nothing of lists, maps, times and optional documents, all of the rest. */
function nullOf(kind: Kind, before: unknown): unknown {
  const isEmptied = kind.is === 'list' || kind.is === 'texts' || kind.is === 'time' || (kind.is === 'document' && kind.optional);
  return isEmptied ? zeroOf(kind) : before;
}

function readKind(kind: Kind, node: JsonNode, before: unknown, place: Place): unknown {
  if (kind.is === 'choice') return readChoice(kind, node, place);
  if (node.kind === 'null') return nullOf(kind, before);
  switch (kind.is) {
    case 'string':
    case 'bytes':
      return node.kind === 'string' ? node.value : misfit(kind, node, goTypes[kind.is] ?? '', place);
    case 'bool':
      return node.kind === 'bool' ? node.value : misfit(kind, node, 'bool', place);
    case 'integer':
      return readInteger(kind, node, ranges[kind.type], kind.type, place);
    case 'duration':
      return readInteger(kind, node, ranges.int64, 'time.Duration', place);
    case 'time':
      return readTime(node);
    case 'any':
      return undefined;
    case 'list':
      if (node.kind !== 'array') return misfit(kind, node, kind.goType, place);
      return node.items.map((item) => readKind(kind.of, item, zeroOf(kind.of), place));
    case 'texts':
      if (node.kind !== 'object') return misfit(kind, node, 'map[string]string', place);
      return { ...(before as object), ...Object.fromEntries(node.members.map(([name, value]) => [name, textOf(value, place)])) };
    case 'document':
      if (node.kind !== 'object') return misfit(kind, node, `server.${kind.schema.name}`, place);
      return readMembers((before as WithLarge | undefined) ?? emptyDocument(kind.schema), kind.schema, node, {
        ...place,
        struct: kind.schema.name,
      });
  }
}

function textOf(node: JsonNode, place: Place): unknown {
  return readKind({ is: 'string' }, node, '', place);
}

function readChoice(kind: Kind & { is: 'choice' }, node: JsonNode, place: Place): string {
  if (node.kind === 'string' && kind.values.includes(node.value)) return node.value;
  if (kind.emptyIsFirst === true && node.kind === 'string' && node.value === '') return kind.values[0] ?? '';
  if (kind.isText === true && node.kind !== 'string') throw new JsonError(mismatch(node, 'string', place));
  if (node.kind === 'string' && node.value === kind.alias) return kind.values[0] ?? '';
  throw new JsonError(kind.complaint(place.text.slice(node.start, node.end)));
}

function readInteger(kind: Kind, node: JsonNode, range: readonly [bigint, bigint], type: string, place: Place): unknown {
  if (node.kind !== 'number') return misfit(kind, node, type, place);
  const value = /^-?\d+$/.test(node.text) ? BigInt(node.text) : undefined;
  if (value === undefined || value < range[0] || value > range[1]) return misfit(kind, node, type, place, `number ${node.text}`);
  return value;
}

/** The number of an integer; what it cannot tell exactly is kept beside. */
function exact(document: WithLarge, name: string, value: bigint | number): number {
  const number = clamp(value);
  if (BigInt(number) !== BigInt(value)) document[large] = { ...document[large], [name]: BigInt(value) };
  return number;
}

function clamp(value: bigint | number): number {
  return Number(
    value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : value < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : value,
  );
}

function readTime(node: JsonNode): Instant {
  if (node.kind !== 'string') throw new JsonError('Time.UnmarshalJSON: input is not a JSON string');
  const at = parseInstant(node.value);
  if (at !== undefined) return at;
  throw new JsonError(timeProblem(node.value));
}

/** A document in the table's order, for JSON: what nats-server leaves out because it is zero is undefined. */
export function writeDocument(schema: Schema, content: object): Document {
  const document = content as WithLarge;
  const given = document[large];
  const { rows, unwritten } = rowsOf(schema);
  const out = { ...unwritten };
  for (let at = 0; at < rows.length; at++) {
    const { name, kind, always, zero, isPlain } = rows[at] as Row;
    const value = document[name];
    if (value === undefined || (!always && (value === zero || isEmpty(kind, value)))) continue;
    out[name] = isPlain ? (given === undefined ? value : givenOr(given[name], value)) : writeKind(kind, value);
  }
  return out;
}

/** The integer that was given, if the document has still what was made of it. */
function givenOr(given: bigint | undefined, value: unknown): unknown {
  return given !== undefined && clamp(given) === value ? given : value;
}

function isEmpty({ is }: Kind, value: unknown): boolean {
  if (is === 'list') return (value as readonly unknown[]).length === 0;
  return is === 'texts' && Object.keys(value as object).length === 0;
}

function writeKind(kind: Kind, value: unknown): unknown {
  switch (kind.is) {
    case 'time':
      return formatInstant(value as Instant);
    case 'list':
      return (value as readonly unknown[]).map((item) => writeKind(kind.of, item));
    case 'texts':
      return inOrder(value as Record<string, string>);
    case 'document':
      return writeDocument(kind.schema, value as Document);
    default:
      return typeof value === 'bigint' ? plainInteger(value) : value;
  }
}

/** Members by name. */
function inOrder(texts: Record<string, string>): unknown {
  const names = Object.keys(texts);
  if (names.every((name, at) => at === 0 || (names[at - 1] ?? '') < name)) return texts;
  return orderedMembers(names.sort().map((name) => [name, texts[name]]));
}

/** A number where that is exact: a document without bigints is printed ten times as fast. */
function plainInteger(value: bigint): bigint | number {
  const plain = Number(value);
  return Number.isSafeInteger(plain) ? plain : value;
}
