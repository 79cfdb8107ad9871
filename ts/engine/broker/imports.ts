// Imports between accounts, as the kernel carries them out: services stand in the importing account, subscriptions have shadows on the
// exported subjects of imported streams, and replies that nobody gave are forgotten in time.
// Kept true: what the kernel has is what was set last; an account without imports costs nothing.

import type { AccountImports, ServiceExport, ServiceImport, StreamImport } from '../../core/account/imports.ts';
import { shadowSubjects } from '../../core/account/shadows.ts';
import { isSubsetMatch } from '../../core/subject/subject.ts';
import { subscriptionKind } from '../../kernel/constants.ts';
import { ImportKernel, serviceFlag } from '../../kernel/imports.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { jsonText } from '../../lib/json-text.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { KernelAccount, KernelAccounts } from './accounts.ts';
import type { ServiceMeasures } from './service-measures.ts';

/** How often replies that nobody gave are looked for. */
const SWEEP_MS = 1000;

/** What imports need of the broker. */
interface ImportsHost {
  readonly kernel: Kernel;
  readonly accounts: KernelAccounts;
  readonly clock: Clock;
  turn(work: () => void): void;
}

interface OpenService {
  readonly service: number;
  readonly mapping: number;
  readonly exported: ServiceExport;
}

/** What one account has in the kernel. */
interface Held {
  readonly imports: AccountImports;
  readonly streams: ReadonlyMap<StreamImport, number>;
  readonly services: readonly OpenService[];
}

const nothing: AccountImports = { streams: [], services: [] };

function flagsOf({ share, exported }: ServiceImport): number {
  const measured = exported.latency === undefined ? 0 : serviceFlag.measured;
  return measured | (share ? serviceFlag.shared : 0) | (exported.allowTrace === true ? serviceFlag.allowTrace : 0);
}

export class BrokerImports {
  readonly kernel: ImportKernel;
  readonly #kernel: Kernel;
  readonly #accounts: KernelAccounts;
  readonly #broker: ImportsHost;
  readonly #measures: ServiceMeasures;
  readonly #held = new Map<string, Held>();
  /** Accounts that answer or ask across accounts have one-time reply subjects, once for good. */
  readonly #replying = new Set<number>();
  readonly #exports = new Map<string, number>();
  #sweep: Timer | undefined;

  constructor(broker: ImportsHost, measures: ServiceMeasures) {
    const { kernel, accounts } = broker;
    this.kernel = new ImportKernel(kernel);
    this.#kernel = kernel;
    this.#accounts = accounts;
    this.#broker = broker;
    this.#measures = measures;
    kernel.onOwnSubscription = (handle) => this.subscribed(handle);
  }

  /**
   * Takes the imports of all accounts; those that did not change stay as they are, with the replies they await. Returns whether any
   * changed.
   */
  set(all: ReadonlyMap<string, AccountImports>): boolean {
    let changed = false;
    for (const name of new Set([...this.#held.keys(), ...all.keys()])) {
      const wanted = all.get(name) ?? nothing;
      const held = this.#held.get(name);
      if (held === undefined && wanted.streams.length + wanted.services.length === 0) continue;
      if (JSON.stringify(held?.imports ?? nothing) === JSON.stringify(wanted)) continue;
      changed = true;
      const account = this.#accounts.get(name);
      if (held !== undefined) this.#close(account, held);
      this.#held.delete(name);
      if (wanted.streams.length + wanted.services.length > 0) this.#open(account, wanted);
    }
    const services = [...this.#held.values()].some((held) => held.services.length > 0);
    if (services) this.#sweep ??= this.#broker.clock.every(SWEEP_MS, () => this.#broker.turn(() => this.#forget()));
    else this.stop();
    return changed;
  }

  /** Whether requests of an account may go to others. */
  asks(account: string): boolean {
    return (this.#held.get(account)?.services.length ?? 0) > 0;
  }

  /** Whether requests on a literal subject of an account go to another one. */
  serves(account: string, subject: string): boolean {
    const services = this.#held.get(account)?.imports.services ?? [];
    return services.some(({ local }) => isSubsetMatch(subject, local));
  }

  /** What an account imports. */
  of(account: string): AccountImports {
    return this.#held.get(account)?.imports ?? nothing;
  }

  /** The streams that other accounts import of this one, with who does. */
  streamsOf(account: string): (readonly [importer: string, stream: StreamImport])[] {
    return [...this.#held].flatMap(([importer, { imports }]) =>
      imports.streams.filter((one) => one.account === account).map((one) => [importer, one] as const),
    );
  }

  /** Whether any account imports streams of this one. */
  from(account: string): boolean {
    return [...this.#held.values()].some(({ imports }) => imports.streams.some((one) => one.account === account));
  }

  /** A subscription was made in an account that imports streams: it gets its shadows. */
  subscribed(handle: number): void {
    if (this.#held.size === 0) return;
    const { subject, account } = this.kernel.subscription(handle);
    const held = this.#held.get(this.#accounts.byId(account)?.name ?? '');
    if (held !== undefined) this.#shadow(handle, subject, held);
  }

  stop(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }

  #open(account: KernelAccount, imports: AccountImports): void {
    const streams = new Map(imports.streams.map((one) => [one, this.#mapping(one.mapping?.pieces)]));
    const held = { imports, streams, services: imports.services.map((one) => this.#service(account, one)) };
    this.#held.set(account.name, held);
    if (streams.size === 0) return;
    this.kernel.importStreams(account.handle, true);
    for (const { handle, subject } of this.#shadowed(account)) this.#shadow(handle, subject, held);
  }

  #close(account: KernelAccount, held: Held): void {
    this.kernel.importStreams(account.handle, false);
    if (held.streams.size > 0) for (const { handle } of this.#shadowed(account)) this.kernel.unshadow(handle);
    for (const { service } of held.services) {
      this.#measures.closed(service);
      this.kernel.closeService(service);
    }
    const mappings = [...held.streams.values(), ...held.services.map(({ mapping }) => mapping)];
    for (const mapping of mappings) if (mapping !== 0) this.kernel.closeMapping(mapping);
  }

  /** Subscriptions that have shadows: those of clients, of streams and of the host. */
  #shadowed(account: KernelAccount): { readonly handle: number; readonly subject: string }[] {
    const kinds: readonly number[] = [subscriptionKind.client, subscriptionKind.stream, subscriptionKind.host];
    return this.#kernel.subscriptionsIn(account.handle).filter(({ kind }) => kinds.includes(kind));
  }

  #shadow(handle: number, subject: string, { imports, streams }: Held): void {
    for (const shadow of shadowSubjects(subject, imports.streams)) {
      const { handle: account } = this.#accounts.get(shadow.import.account);
      this.kernel.shadow(handle, account, shadow.subject, streams.get(shadow.import) ?? 0);
    }
  }

  #mapping(pieces: Parameters<ImportKernel['openMapping']>[0] | undefined): number {
    return pieces === undefined ? 0 : this.kernel.openMapping(pieces);
  }

  #service(account: KernelAccount, one: ServiceImport): OpenService {
    const exporter = this.#accounts.get(one.account);
    for (const { handle } of [account, exporter]) {
      if (this.#replying.has(handle)) continue;
      this.#replying.add(handle);
      this.kernel.openReplies(handle);
    }
    const many = one.exported.responseType === 'singleton' ? 0 : serviceFlag.manyReplies;
    const mapping = this.#mapping(one.mapping?.pieces);
    const service = this.kernel.openService({
      home: account.handle,
      subject: one.local,
      account: exporter.handle,
      mapping,
      exported: this.#exportNumber(one.exported),
      flags: many | flagsOf(one),
      via: `,"svc":${jsonText(account.name)}`,
    });
    if (one.exported.latency !== undefined) this.#measures.opened(service, account, one);
    return { service, mapping, exported: one.exported };
  }

  #exportNumber({ account, subject }: ServiceExport): number {
    const key = `${account} ${subject}`;
    const known = this.#exports.get(key) ?? this.#exports.size + 1;
    this.#exports.set(key, known);
    return known;
  }

  #forget(): void {
    const now = this.#broker.clock.wallMs();
    for (const { services } of this.#held.values()) {
      for (const { service, exported } of services) this.kernel.expireResponses(service, now - exported.thresholdMs);
    }
  }
}
