// JSON text in the manner of Go's encoder, which is what every tool that reads nats-server's documents was written against.
// Kept true: keys come in the order they were given, undefined members are left out, `<`, `>`, `&` and the two line separators are
// escaped, bigints are printed as integers (nanoseconds and 64-bit counts do not fit a number), empty lists and maps stay on one line.

export type JsonInput =
  null | boolean | number | bigint | string | readonly JsonInput[] | { readonly [key: string]: JsonInput | undefined };

const special = /[<>&\u2028\u2029]/g;

function escapeOf(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(special, escapeOf);
}

/** `indent` is put before each member once for every level; without it the text is compact. */
export function jsonText(value: JsonInput, indent = ''): string {
  try {
    return JSON.stringify(value, undefined, indent).replace(special, escapeOf);
  } catch {
    // A bigint somewhere: the engine's own writer, ten times as fast, does not take one.
    return write(value, indent, indent === '' ? '' : '\n');
  }
}

function write(value: JsonInput, indent: string, lineBreak: string): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const inner = lineBreak + indent;
  if (Array.isArray(value)) {
    const items = (value as readonly JsonInput[]).map((item) => inner + write(item, indent, inner));
    return items.length === 0 ? '[]' : `[${items.join(',')}${lineBreak}]`;
  }
  const separator = indent === '' ? ':' : ': ';
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${inner}${quoted(key)}${separator}${write(member, indent, inner)}`);
  }
  return members.length === 0 ? '{}' : `{${members.join(',')}${lineBreak}}`;
}
