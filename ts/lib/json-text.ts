// JSON text in the manner of Go's encoder, which is what every tool that reads nats-server's documents was written against.
// Kept true: keys come in the order they were given, undefined members are left out, `<`, `>`, `&` and the two line separators are
// escaped, bigints are printed as integers (nanoseconds and 64-bit counts do not fit a number), empty lists and maps stay on one line.

export type JsonInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonInput[]
  | OrderedMembers
  | WrittenJson
  | LaterItems
  | { readonly [key: string]: JsonInput | undefined };

type Members = readonly (readonly [key: string, value: JsonInput | undefined])[];

/** Members whose keys may look like numbers, which an object would put first. The engine's own writer refuses them. */
class OrderedMembers {
  readonly list: Members;

  constructor(list: Members) {
    this.list = list;
  }

  toJSON(): never {
    throw new Error('members in an order of their own');
  }
}

/** JSON text that is part of a document as it is. */
export class WrittenJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): never {
    throw new Error('text that is written already');
  }
}

/** A list whose items are made one by one, as they are written. A member that is such a list is left out when it has none. */
export class LaterItems implements Iterable<JsonInput> {
  readonly #make: () => Iterable<JsonInput>;

  constructor(make: () => Iterable<JsonInput>) {
    this.#make = make;
  }

  [Symbol.iterator](): Iterator<JsonInput> {
    return this.#make()[Symbol.iterator]();
  }

  toJSON(): readonly JsonInput[] | undefined {
    const all = [...this.#make()];
    return all.length === 0 ? undefined : all;
  }
}

const numberLike = /^\d+$/;

/** An object for JSON with its members in the order given, whatever their keys. */
export function orderedMembers(list: Members): OrderedMembers | { readonly [key: string]: JsonInput | undefined } {
  return list.some(([key]) => numberLike.test(key)) ? new OrderedMembers(list) : Object.fromEntries(list);
}

const special = /[<>&\u2028\u2029]/g;
const anySpecial = /[<>&\u2028\u2029]/;

function escapeOf(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Most texts have nothing to escape: finding that out takes a fraction of replacing nothing. */
function escaped(text: string): string {
  return anySpecial.test(text) ? text.replace(special, escapeOf) : text;
}

function quoted(text: string): string {
  return escaped(JSON.stringify(text));
}

/** `indent` is put before each member once for every level; without it the text is compact. */
export function jsonText(value: JsonInput, indent = ''): string {
  try {
    return escaped(JSON.stringify(value, undefined, indent));
  } catch {
    // A bigint, members in an order of their own, text that is written: the engine's own writer, ten times as fast, does not take them.
    return write(value, indent, indent === '' ? '' : '\n');
  }
}

function write(value: JsonInput, indent: string, lineBreak: string): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (value instanceof WrittenJson) return value.text;
  if (value instanceof LaterItems) return write(value.toJSON() ?? [], indent, lineBreak);
  const inner = lineBreak + indent;
  if (Array.isArray(value)) {
    const items = (value as readonly JsonInput[]).map((item) => inner + write(item, indent, inner));
    return items.length === 0 ? '[]' : `[${items.join(',')}${lineBreak}]`;
  }
  const separator = indent === '' ? ':' : ': ';
  const members: string[] = [];
  for (const [key, given] of value instanceof OrderedMembers ? value.list : Object.entries(value)) {
    const member = given instanceof LaterItems ? given.toJSON() : given;
    if (member !== undefined) members.push(`${inner}${quoted(key)}${separator}${write(member, indent, inner)}`);
  }
  return members.length === 0 ? '{}' : `{${members.join(',')}${lineBreak}}`;
}

/** The same text in pieces, one for each item of lists that are made later. */
export function* jsonPieces(value: JsonInput, indent = ''): Generator<string> {
  yield* pieces(value, indent, indent === '' ? '' : '\n');
}

function* pieces(value: JsonInput, indent: string, lineBreak: string): Generator<string> {
  if (value instanceof LaterItems) return yield* listPieces(value[Symbol.iterator](), indent, lineBreak);
  const isPlain = typeof value !== 'object' || value === null || !Object.values(value).some((one) => one instanceof LaterItems);
  // No text of a document has a line break in it.
  if (isPlain) return yield jsonText(value, indent).replaceAll('\n', lineBreak);
  let before = `{${lineBreak}${indent}`;
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const name = `${before}${quoted(key)}${indent === '' ? ':' : ': '}`;
    if (member instanceof LaterItems) {
      const items = member[Symbol.iterator]();
      const first = items.next();
      if (first.done === true) continue;
      yield name;
      yield* listPieces(items, indent, lineBreak + indent, first.value);
    } else {
      yield name;
      yield* pieces(member, indent, lineBreak + indent);
    }
    before = `,${lineBreak}${indent}`;
  }
  yield before.startsWith('{') ? '{}' : `${lineBreak}}`;
}

function* listPieces(items: Iterator<JsonInput>, indent: string, lineBreak: string, first?: JsonInput): Generator<string> {
  let before = `[${lineBreak}${indent}`;
  for (let next = first === undefined ? items.next() : { value: first }; next.done !== true; next = items.next()) {
    yield before;
    yield* pieces(next.value, indent, lineBreak + indent);
    before = `,${lineBreak}${indent}`;
  }
  yield before.startsWith('[') ? '[]' : `${lineBreak}]`;
}
