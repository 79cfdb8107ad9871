// Counters: a message on a counter stream says how much to add (`Nats-Incr`), and the stream stores the sum, `{"val":"<number>"}`, as large as it
// gets. A counter that is sourced from others remembers what each of them had (`Nats-Counter-Sources`), and adds what is new.

import { orderedMembers } from '../../lib/json-text.ts';
import { setHeader } from '../jetstream/headers.ts';
import { encodeJson } from '../jetstream/json.ts';

/** Values by the stream they came from, and there by subject. */
export type CounterSources = Record<string, Record<string, string>>;

export interface CounterState {
  readonly total: bigint;
  readonly sources: CounterSources;
}

export interface Counted {
  readonly state: CounterState;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const zeroCounter: CounterState = { total: 0n, sources: {} };

/** The increment of a header; undefined: none. */
export function parseIncrement(text: string): bigint | 'invalid' | undefined {
  if (text === '') return undefined;
  return /^[+-]?\d+$/.test(text) ? BigInt(text.replace('+', '')) : 'invalid';
}

/** The sum a stored message holds; undefined: it is no counter. */
function counterValue(payload: Uint8Array): bigint | undefined {
  const text = readValue(payload);
  return text === undefined ? undefined : numberOf(text);
}

function numberOf(text: string): bigint {
  const parsed = parseIncrement(text);
  return typeof parsed === 'bigint' ? parsed : 0n;
}

function readValue(payload: Uint8Array): string | undefined {
  const parsed = readJson(decoder.decode(payload));
  if (parsed === null) return '';
  if (typeof parsed !== 'object') return undefined;
  const value = (parsed as Record<string, unknown>)['val'] ?? '';
  return typeof value === 'string' ? value : undefined;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** The counter that the last message of a subject holds; undefined: it is broken. */
export function storedCounter(payload: Uint8Array, headers: ReadonlyMap<string, string>): CounterState | undefined {
  const total = counterValue(payload);
  if (total === undefined) return undefined;
  const text = headers.get('Nats-Counter-Sources') ?? '';
  if (text === '') return { total, sources: {} };
  const sources = readJson(text);
  return isSources(sources) ? { total, sources } : undefined;
}

function isSources(value: unknown): value is CounterSources {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every(
    (subjects) =>
      typeof subjects === 'object' && subjects !== null && Object.values(subjects).every((each) => typeof each === 'string'),
  );
}

export interface Increment {
  readonly subject: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
  readonly by: bigint;
  /** `Nats-Stream-Source`; '' when a client has published it. */
  readonly source: string;
}

/** The message to store, and the counter behind it; undefined: the sourced message is no counter. */
export function count({ total, sources: known }: CounterState, given: Increment): Counted | undefined {
  let { headers, by } = given;
  let sources = known;
  if (given.source !== '') {
    const value = counterValue(given.payload);
    if (value === undefined) return undefined;
    const [stream = '', , , , subject = given.subject] = given.source.split(' ');
    const before = own(sources, stream) ?? {};
    by = value - numberOf(own(before, subject) ?? '');
    sources = { ...sources, [stream]: { ...before, [subject]: `${value}` } };
    headers = setHeader(headers, 'Nats-Incr', `${by}`);
  }
  if (Object.keys(sources).length > 0) headers = setHeader(headers, 'Nats-Counter-Sources', sortedJson(sources));
  const state = { total: total + by, sources };
  return { state, headers, payload: encoder.encode(`{"val":"${state.total}"}`) };
}

/** What a map has by a name, and not what every object has. */
function own<T>(map: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

/** With names in order, as Go writes maps. */
function sortedJson(sources: CounterSources): string {
  const sorted = <T>(map: Record<string, T>): [string, T][] => Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
  return encodeJson(orderedMembers(sorted(sources).map(([name, subjects]) => [name, orderedMembers(sorted(subjects))])));
}
