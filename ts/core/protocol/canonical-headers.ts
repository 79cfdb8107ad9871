// Headers of a message under the names that Go's library gives them: each word begins with a capital. That is how nats-server reads what
// tracing systems put into messages, so that any spelling of theirs will do.

const decoder = new TextDecoder();
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A name that is no token stays as it is. */
export function canonicalName(name: string): string {
  if (!token.test(name)) return name;
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** All values by name, in order; empty where a line is no header. */
export function canonicalHeaders(block: Uint8Array): ReadonlyMap<string, readonly string[]> {
  const [, ...lines] = decoder.decode(block).split(/\r?\n/);
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon <= 0) return new Map();
    const name = canonicalName(line.slice(0, colon));
    const value = line.slice(colon + 1).trim();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return headers;
}
