// Reading the query of a monitoring request: booleans and numbers as Go reads them, one error text for each kind.
// A parameter given twice counts once, the first time; an empty one counts as absent.

import { parseBool, parseInteger, parseUnsigned, type Parsed } from '../../lib/go-parse.ts';

/** The request cannot be answered; the message is the body of the 400. */
export class BadRequest extends Error {}

function read<T>(query: URLSearchParams, name: string, kind: string, absent: T, parse: (text: string) => Parsed<T>): T {
  const text = query.get(name) ?? '';
  if (text === '') return absent;
  const parsed = parse(text);
  if ('error' in parsed) throw new BadRequest(`Error decoding ${kind} for '${name}': ${parsed.error}`);
  return parsed.value;
}

export function flag(query: URLSearchParams, name: string): boolean {
  return read(query, name, 'boolean', false, parseBool);
}

function integer(query: URLSearchParams, name: string): number {
  return read(query, name, 'int', 0, parseInteger);
}

export function unsigned(query: URLSearchParams, name: string): number {
  return read(query, name, 'uint64', 0, parseUnsigned);
}

export function text(query: URLSearchParams, name: string): string {
  return query.get(name) ?? '';
}

export type SubscriptionDetail = 'none' | 'subjects' | 'detail';

/** `subs`: a boolean, or `detail`. */
export function subscriptionDetail(query: URLSearchParams): SubscriptionDetail {
  if (query.get('subs')?.toLowerCase() === 'detail') return 'detail';
  return flag(query, 'subs') ? 'subjects' : 'none';
}

/** A page of a list. Nothing sensible given means from the start, and 1024 entries. */
export interface Page {
  readonly offset: number;
  readonly limit: number;
}

const defaultLimit = 1024;

export function page(query: URLSearchParams): Page {
  const offset = integer(query, 'offset');
  const limit = integer(query, 'limit');
  return { offset: Math.max(0, offset), limit: limit <= 0 ? defaultLimit : limit };
}

export function slice<T>(list: readonly T[], { offset, limit }: Page): T[] {
  return list.slice(offset, offset + limit);
}
