// The mirror or the sources of one stream: made from its configuration, changed with it, shown in its info.
// Kept true: a source that an update leaves as it was goes on where it is; closed ones take nothing any more.

import { encodeJson } from '../../core/jetstream/json.ts';
import type { ApiError } from '../../core/jetstream/errors.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { StreamConfig, StreamSource } from '../../core/jetstream/stream-config.ts';
import { planUpstream, type UpstreamPlan } from '../../core/stream/upstream.ts';
import { shortHash } from '../../core/jetstream/short-hash.ts';
import { tokens } from '../../core/subject/subject.ts';
import { compileTransform, type Transform } from '../../core/subject/transform.ts';
import type { StreamStore } from '../store/store.ts';
import { ExternalUpstream } from './external.ts';
import { MirrorIntake } from './mirror.ts';
import type { Origins } from './origin.ts';
import type { JetStreamPorts } from './ports.ts';
import type { SourcedMessage } from './publishing.ts';
import { SourcePlaces } from './places.ts';
import { PlaceSearch, SourceIntake } from './source.ts';
import { Upstream, type Intake } from './upstream.ts';

/** What follows an origin, here or elsewhere. */
type Following = Pick<Upstream, 'attach' | 'roomMade' | 'info' | 'close'>;

const encoder = new TextEncoder();

/** The stream that mirrors or sources. */
export interface SourcedStream {
  readonly name: string;
  readonly store: StreamStore;
  readonly ports: JetStreamPorts;
  whenSynced(call: () => void): void;
}

/** Where its messages go. */
export interface SourcedStorage {
  storeSourced(message: SourcedMessage): ApiError | undefined;
}

/** The stream as its intakes see it. */
export interface SourcingTarget extends Omit<SourcedStream, 'name'>, SourcedStorage {
  /** The subject a message is stored under: the upstream's transform, then the stream's own. */
  subjectFor(plan: UpstreamPlan, subject: string): string;
  readonly places: SourcePlaces;
}

export class Sourcing {
  readonly #stream: SourcedStream;
  readonly #origins: Origins;
  readonly #target: SourcingTarget;
  readonly #places: SourcePlaces;
  #transform: Transform | undefined;
  #mirror: Following | undefined;
  #sources = new Map<string, Following>();
  readonly #searches: PlaceSearch[] = [];
  #configured = false;
  #closed = false;

  constructor(stream: SourcedStream, storage: SourcedStorage, origins: Origins) {
    const { store, ports } = stream;
    this.#stream = stream;
    this.#origins = origins;
    this.#places = new SourcePlaces(stream);
    this.#target = {
      store,
      ports,
      storeSourced: (message) => storage.storeSourced(message),
      whenSynced: (call) => stream.whenSynced(call),
      places: this.#places,
      subjectFor: (plan, subject) => this.ownSubject(plan.subjectFor(subject, this.#random)),
    };
  }

  readonly #random = (limit: number): number => this.#stream.ports.random.below(limit);

  /** The subject the stream stores a message under, by its own `subject_transform`. */
  ownSubject(subject: string): string {
    const transform = this.#transform;
    return transform?.matches(tokens(subject)) === true ? transform.apply(subject, this.#random) : subject;
  }

  configure({ mirror, sources, subject_transform }: StreamConfig): void {
    if (this.#closed) return;
    const compiled =
      subject_transform === undefined
        ? undefined
        : compileTransform(subject_transform.src === '' ? '>' : subject_transform.src, subject_transform.dest);
    this.#transform = compiled?.ok === true ? compiled.transform : undefined;
    this.#configureMirror(mirror);
    this.#configureSources(sources);
    this.#configured = true;
    this.roomMade();
  }

  /** The stream has lost what was not on disk: everything is followed anew, from what it has. */
  revived(config: StreamConfig): void {
    if (this.#closed) return;
    this.#leave();
    this.#places.revived();
    this.#mirror = undefined;
    this.#sources.clear();
    this.#configured = false;
    this.configure(config);
  }

  /** Nobody is followed any more. */
  #leave(): void {
    for (const search of this.#searches.splice(0)) search.cancel();
    for (const upstream of this.#all()) upstream.close();
  }

  /** A mirror can only be taken away later. */
  #configureMirror(mirror: StreamSource | undefined): void {
    if (mirror === undefined) {
      this.#mirror?.close();
      this.#mirror = undefined;
    } else if (this.#mirror === undefined) {
      const plan = this.#plan(mirror);
      const name = `Mirror '${this.#stream.name}' of '${mirror.name}'`;
      this.#mirror = this.#follow(plan, 'M', name, new MirrorIntake(plan, this.#target));
      this.#mirror.attach();
    }
  }

  #configureSources(sources: readonly StreamSource[]): void {
    const before = this.#sources;
    const keyed = sources.map((source) => ({ key: encodeJson(source), source }));
    const fresh = keyed.filter(({ key }) => !before.has(key)).map(({ key, source }) => ({ key, plan: this.#plan(source) }));
    for (const [key, upstream] of before) if (!keyed.some((kept) => kept.key === key)) upstream.close();
    if (fresh.length > 0) this.#add(fresh);
    this.#sources = new Map(
      keyed.flatMap(({ key }) => {
        const upstream = this.#sources.get(key);
        return upstream === undefined ? [] : [[key, upstream] as const];
      }),
    );
    for (const { key } of fresh) this.#sources.get(key)?.attach();
  }

  #add(fresh: readonly { readonly key: string; readonly plan: UpstreamPlan }[]): void {
    const { name } = this.#stream;
    const identities = fresh.map(({ plan }) => plan.identity);
    const search = new PlaceSearch(this.#target, identities, this.#configured);
    this.#searches.push(search);
    for (const { key, plan } of fresh) {
      const label = `Source '${plan.source.name}' of '${name}'`;
      this.#sources.set(key, this.#follow(plan, 'S', label, new SourceIntake(plan, this.#target, search)));
    }
    search.run();
  }

  #plan(source: StreamSource): UpstreamPlan {
    const api = source.external?.api ?? '';
    const { crypto } = this.#stream.ports;
    return planUpstream(source, api === '' ? '' : shortHash(crypto.sha256(encoder.encode(api))));
  }

  #follow(plan: UpstreamPlan, kind: 'M' | 'S', name: string, intake: Intake): Following {
    const { ports } = this.#stream;
    const asker = this.#origins.asker(plan.source);
    if (asker === undefined) return new Upstream(plan, name, intake, this.#origins, ports);
    return new ExternalUpstream(plan, kind, name, intake, asker, ports);
  }

  originOpened(): void {
    if (this.#mirror === undefined && this.#sources.size === 0) return;
    for (const upstream of this.#all()) upstream.attach();
  }

  /** Messages went, or limits were changed: whoever waited for room tries again. */
  roomMade(): void {
    for (const upstream of this.#all()) upstream.roomMade();
  }

  *#all(): Iterable<Following> {
    if (this.#mirror !== undefined) yield this.#mirror;
    yield* this.#sources.values();
  }

  info(): { readonly mirror?: Document; readonly sources?: readonly Document[] } {
    const sources = [...this.#sources.values()].map((upstream) => upstream.info());
    return {
      ...(this.#mirror === undefined ? {} : { mirror: this.#mirror.info() }),
      ...(sources.length === 0 ? {} : { sources }),
    };
  }

  /** The stream has stopped: everything is on disk. */
  stopped(): void {
    this.#places.stopped();
  }

  close(): void {
    this.#closed = true;
    this.#places.close();
    this.#leave();
  }
}
