// What a mirror or a source takes from its origin, compiled from the configuration: which subjects, what they become, where to begin, and the
// header that remembers where a sourced message came from.
// Kept true: the header is nats-server's, so that either server finds its place in a stream the other one has filled.

import { addHeaders, withoutHeaders } from '../jetstream/headers.ts';
import type { Instant } from '../jetstream/instant.ts';
import type { StreamSource } from '../jetstream/stream-config.ts';
import { matchesLiteral, tokens } from '../subject/subject.ts';
import { compileTransform, type Transform } from '../subject/transform.ts';

export type Random = (limit: number) => number;

export interface UpstreamPlan {
  readonly source: StreamSource;
  /**
   * Tells the sources of one stream apart: `<stream> <filters> <destinations>`, as in the header; the stream of an origin elsewhere
   * is followed by a hash of the API it is asked through.
   */
  readonly identity: string;
  /** Empty: every subject. */
  readonly filters: readonly string[];
  takes(subject: string): boolean;
  subjectFor(subject: string, random: Random): string;
}

const sourceHeader = 'Nats-Stream-Source';
const everything = '>';
/** Stands between several filters in the header. */
const between = '\f';
/** Headers that were meant for the origin alone. */
const originOnly = /^Nats-(?:Expected|Batch)-/;

interface Rule {
  readonly filter: string;
  readonly pattern: readonly string[];
  readonly destination: string;
  readonly transform: Transform | undefined;
}

function rule(src: string, destination: string): Rule {
  const filter = src === '' ? everything : src;
  const compiled = destination === '' ? undefined : compileTransform(filter, destination);
  return { filter, pattern: tokens(filter), destination, transform: compiled?.ok === true ? compiled.transform : undefined };
}

/** `apiHash`: of an origin elsewhere, the short hash of its API's prefix. */
export function planUpstream(source: StreamSource, apiHash = ''): UpstreamPlan {
  const { name, filter_subject, subject_transforms } = source;
  const rules =
    subject_transforms.length > 0 ? subject_transforms.map(({ src, dest }) => rule(src, dest)) : [rule(filter_subject, '')];
  const filters = rules.map(({ filter }) => filter);
  const destinations = rules.map(({ destination }) => (destination === '' ? everything : destination));
  const ruleOf = (subject: string): Rule | undefined => {
    const parts = tokens(subject);
    return rules.find(({ pattern }) => matchesLiteral(parts, pattern));
  };
  return {
    source,
    identity: `${apiHash === '' ? name : `${name}:${apiHash}`} ${filters.join(between)} ${destinations.join(between)}`,
    filters: filters.includes(everything) ? [] : filters,
    takes: (subject) => ruleOf(subject) !== undefined,
    subjectFor: (subject, random) => ruleOf(subject)?.transform?.apply(subject, random) ?? subject,
  };
}

/** The header block of a mirrored message: what was the origin's business goes. */
export function mirroredHeaders(block: Uint8Array): Uint8Array {
  return withoutHeaders(block, (name) => originOnly.test(name));
}

/** The header block of a sourced message: where it came from is added, where that had come from goes. */
export function sourcedHeaders(plan: UpstreamPlan, block: Uint8Array, seq: number, subject: string): Uint8Array {
  const [stream = '', filters = '', destinations = ''] = plan.identity.split(' ');
  const kept = withoutHeaders(block, (name) => originOnly.test(name) || name === sourceHeader);
  return addHeaders(kept, [[sourceHeader, `${stream} ${seq} ${filters} ${destinations} ${subject}`]]);
}

export interface SourcePlace {
  /** Of the plan; the stream's name alone in messages of old servers. */
  readonly identity: string;
  readonly seq: number;
}

/** Where a stored message came from, by its headers. */
export function sourcePlace(headers: ReadonlyMap<string, string>): SourcePlace | undefined {
  const value = headers.get(sourceHeader);
  if (value === undefined) return undefined;
  const [stream = '', seq = '', filters, destinations] = value.split(' ');
  if (!/^\d+$/.test(seq)) return undefined;
  return { identity: filters === undefined ? stream : `${stream} ${filters} ${destinations ?? everything}`, seq: Number(seq) };
}

/** What beginning needs to know of the origin. */
export interface OriginRange {
  readonly firstSeq: number;
  readonly lastSeq: number;
  seqAtTime(at: Instant): number;
}

/** A start within what the origin has: never before its first message, at most right behind its last. */
export function withinOrigin(wanted: number, { firstSeq, lastSeq }: OriginRange): number {
  return Math.min(Math.max(wanted, firstSeq, 1), lastSeq + 1);
}

/** The first sequence a new mirror or source takes, by its configuration. */
export function configuredStart({ opt_start_seq, opt_start_time }: StreamSource, origin: OriginRange): number {
  if (opt_start_time !== undefined) return withinOrigin(origin.seqAtTime(opt_start_time), origin);
  return withinOrigin(opt_start_seq, origin);
}
