// JSON as nats-server writes it: compact, keys in the given order, `<`, `>`, `&` and the two line separators escaped,
// durations (bigints) as integers. Values are plain objects, arrays, strings, numbers, bigints and booleans.

const special = /[<>&\u2028\u2029]/g;

function escaped(text: string): string {
  return JSON.stringify(text).replace(special, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function encodeJson(value: unknown): string {
  if (typeof value === 'string') return escaped(value);
  if (typeof value === 'bigint') return value.toString();
  if (value === null || value === undefined) return 'null';
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(encodeJson).join(',')}]`;
  const members: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${escaped(name)}:${encodeJson(member)}`);
  }
  return `{${members.join(',')}}`;
}
