// Reading the members of a claim's JSON: absent means the empty value, a value of another type spoils the whole token.
// Kept true: what is read has the type it is read as; nothing unexpected of a peer's JSON goes further.

/** A token that is not what it should be; the message is what nats-server says where it says anything. */
export class TokenError extends Error {}

export type JsonMembers = Readonly<Record<string, unknown>>;

function wrongType(key: string, wanted: string): TokenError {
  return new TokenError(`json: cannot unmarshal member "${key}" as ${wanted}`);
}

export function isMembers(value: unknown): value is JsonMembers {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a member of its own; JSON's null is an absent one. */
function member(from: JsonMembers, key: string): unknown {
  return Object.hasOwn(from, key) ? (from[key] ?? undefined) : undefined;
}

export function textOf(from: JsonMembers, key: string): string {
  const value = member(from, key) ?? '';
  if (typeof value !== 'string') throw wrongType(key, 'a string');
  return value;
}

export function integerOf(from: JsonMembers, key: string, absent = 0): number {
  const value = member(from, key) ?? absent;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(key, 'an integer');
  return value;
}

const NANOS_PER_MS = 1e6;

/** Nanoseconds as milliseconds. */
export function durationMsOf(from: JsonMembers, key: string): number {
  return integerOf(from, key) / NANOS_PER_MS;
}

export function flagOf(from: JsonMembers, key: string): boolean {
  const value = member(from, key) ?? false;
  if (typeof value !== 'boolean') throw wrongType(key, 'a boolean');
  return value;
}

export function membersOf(from: JsonMembers, key: string): JsonMembers {
  const value = member(from, key) ?? {};
  if (!isMembers(value)) throw wrongType(key, 'an object');
  return value;
}

export function hasMember(from: JsonMembers, key: string): boolean {
  return member(from, key) !== undefined;
}

export function listOf(from: JsonMembers, key: string): readonly unknown[] {
  const value = member(from, key) ?? [];
  if (!Array.isArray(value)) throw wrongType(key, 'a list');
  return value as unknown[];
}

export function textsOf(from: JsonMembers, key: string): readonly string[] {
  return listOf(from, key).map((value) => {
    if (typeof value !== 'string') throw wrongType(key, 'a list of strings');
    return value;
  });
}

export function objectsOf(from: JsonMembers, key: string): readonly JsonMembers[] {
  return listOf(from, key).map((value) => {
    if (!isMembers(value)) throw wrongType(key, 'a list of objects');
    return value;
  });
}

/** Seconds since 1970 by name, as lists of revocations have them. */
export function timesOf(from: JsonMembers, key: string): ReadonlyMap<string, number> {
  const map = membersOf(from, key);
  return new Map(Object.keys(map).map((name) => [name, integerOf(map, name)]));
}
