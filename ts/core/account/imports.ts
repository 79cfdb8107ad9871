// What the accounts of a configuration import from each other, compiled: the subjects on both sides, how they change, and what the
// export says of replies. Whatever forbids an import is told in nats-server's words.
// Kept true: an import refers to an export that allows it; no two imports of an account say the same; imports form no cycle.

import type {
  AccountOptions,
  ExportOptions,
  ImportOptions,
  LatencyOptions,
  MessageTraceOptions,
} from '../config/options-auth.ts';
import { compileImportMapping, numberStars, reverseMapping, starPlaceholders } from '../subject/import-mapping.ts';
import type { ImportMapping } from '../subject/import-mapping.ts';
import { hasWildcard, isSubsetMatch, isValidSubject, subjectsOverlap, tokens } from '../subject/subject.ts';

export interface StreamImport {
  readonly account: string;
  /** The subject in the exporting account. */
  readonly from: string;
  /** The subject here. */
  readonly local: string;
  /** From there to here, and back; absent: the subject stays. */
  readonly mapping?: ImportMapping;
  readonly back?: ImportMapping;
  /** What traces of messages tell may come here. */
  readonly allowTrace?: true;
}

export interface ServiceImport {
  readonly account: string;
  /** The subject here. */
  readonly local: string;
  /** The subject in the exporting account. */
  readonly to: string;
  /** From here to there; absent: the subject stays. */
  readonly mapping?: ImportMapping;
  /** The export it comes from. */
  readonly exported: ServiceExport;
  readonly share: boolean;
}

export interface ServiceExport {
  readonly account: string;
  readonly subject: string;
  readonly responseType: ExportOptions['responseType'];
  readonly thresholdMs: number;
  readonly latency?: LatencyOptions;
  /** Messages that are traced are traced on in this account. */
  readonly allowTrace?: true;
}

export interface AccountImports {
  readonly streams: readonly StreamImport[];
  readonly services: readonly ServiceImport[];
}

export interface CompiledImports {
  readonly accounts: ReadonlyMap<string, AccountImports>;
  readonly problems: readonly string[];
}

/** How long a reply is awaited where the export says nothing. */
const DEFAULT_THRESHOLD_MS = 120_000;

type Accounts = ReadonlyMap<string, AccountOptions>;

interface Draft {
  readonly streams: StreamImport[];
  readonly services: ServiceImport[];
}

class Refused extends Error {}

/** The token of an import's subject that must name the importing account. */
function tokenAllows(exported: ExportOptions, wanted: ImportOptions, importer: string): boolean {
  return tokens(wanted.subject)[exported.accountTokenPosition - 1] === importer;
}

function allows(exported: ExportOptions, wanted: ImportOptions, importer: AccountOptions): boolean {
  if (exported.kind !== wanted.kind || !isSubsetMatch(wanted.subject, exported.subject)) return false;
  if (exported.accountTokenPosition > 0) return tokenAllows(exported, wanted, importer.name);
  if (exported.tokenRequired === true) return wanted.activated === true;
  return exported.accounts.length === 0 || exported.accounts.includes(importer.name);
}

/** An export with exactly this subject decides alone, whatever broader ones would allow. */
function isAllowed(exporter: AccountOptions, wanted: ImportOptions, importer: AccountOptions): boolean {
  const exact = exporter.exports.filter(({ kind, subject }) => kind === wanted.kind && subject === wanted.subject);
  return (exact.length > 0 ? exact : exporter.exports).some((exported) => allows(exported, wanted, importer));
}

/** The export with exactly this subject where there is one, else the first that covers it. */
function exportFor(exporter: AccountOptions, wanted: ImportOptions): ExportOptions | undefined {
  const same = exporter.exports.filter((row) => row.kind === wanted.kind);
  return same.find((row) => row.subject === wanted.subject) ?? same.find((row) => isSubsetMatch(wanted.subject, row.subject));
}

class ImportCompiler {
  readonly drafts = new Map<string, Draft>();
  readonly problems: string[] = [];
  readonly #accounts: Accounts;

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
    for (const name of accounts.keys()) this.drafts.set(name, { streams: [], services: [] });
  }

  run(): void {
    for (const kind of ['stream', 'service'] as const) {
      for (const account of this.#accounts.values()) {
        for (const wanted of account.imports) if (wanted.kind === kind && wanted.account !== '') this.#take(account, wanted);
      }
    }
  }

  #take(importer: AccountOptions, wanted: ImportOptions): void {
    const { kind, subject } = wanted;
    try {
      const exporter = this.#accounts.get(wanted.account);
      const draft = this.drafts.get(importer.name);
      if (exporter === undefined || draft === undefined) {
        this.problems.push(`"${wanted.account}" account not defined for ${kind} import`);
        return;
      }
      if (!isValidSubject(subject) || !isAllowed(exporter, wanted, importer)) throw new Refused(`${kind} import not authorized`);
      if (kind === 'stream') draft.streams.push(this.#stream(importer, wanted, draft));
      else draft.services.push(this.#service(importer, exporter, wanted, draft));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.problems.push(`error adding ${kind} import "${subject}": ${error.message}`);
    }
  }

  #stream(importer: AccountOptions, wanted: ImportOptions, draft: Draft): StreamImport {
    const { account, subject: from, prefix } = wanted;
    if (hasWildcard(prefix)) throw new Refused('stream import prefix can not contain wildcard tokens');
    const dotted = prefix === '' || prefix.endsWith('.') ? prefix : `${prefix}.`;
    const to = prefix === '' ? wanted.to || from : dotted + from;
    for (const subject of [to, from]) this.#refuseStreamCycle(account, subject, new Set([importer.name]));
    const mapping = hasWildcard(from) && to !== from ? this.#mapping('stream', from, to, from, to) : undefined;
    if (draft.streams.some((other) => other.account === account && other.from === from))
      throw new Refused('stream import already exists');
    const common = { account, from, ...(wanted.allowTrace && { allowTrace: true as const }) };
    if (mapping !== undefined) return { ...common, local: mapping.pattern, mapping, back: reverseMapping(mapping) };
    if (to === from) return { ...common, local: to };
    return { ...common, local: to, mapping: { source: from, pattern: to, pieces: [to], destination: to } };
  }

  #service(importer: AccountOptions, exporter: AccountOptions, wanted: ImportOptions, draft: Draft): ServiceImport {
    const { account, subject: to, share } = wanted;
    const given = wanted.to || to;
    if (!isValidSubject(given)) throw new Refused('sublist: invalid subject');
    const forward = hasWildcard(to) && given !== to ? this.#mapping('service', to, given, given, to) : undefined;
    const local = forward?.pattern ?? given;
    this.#refuseServiceCycle(account, hasWildcard(to) ? starPlaceholders(numberStars(given)) : given, new Set([importer.name]));
    const twin = draft.services.find((other) => other.account === account && other.local === local);
    if (twin !== undefined) {
      throw new Refused(
        `duplicate service import subject "${local}", previously used in import for account "${account}", subject "${twin.to}"`,
      );
    }
    const exported = exportFor(exporter, wanted);
    const service = { account, local, to, share, exported: serviceExport(account, exported, to) };
    if (forward !== undefined) return { ...service, mapping: reverseMapping(forward) };
    if (local === to) return service;
    return { ...service, mapping: { source: local, pattern: to, pieces: [to], destination: to } };
  }

  #mapping(kind: string, source: string, destination: string, shownFrom: string, shownTo: string): ImportMapping {
    const result = compileImportMapping(source, destination);
    if (result.ok) return result.mapping;
    throw new Refused(
      `failed to create mapping transform for ${kind} import subject from "${shownFrom}" to "${shownTo}": ${result.problem}`,
    );
  }

  #refuseStreamCycle(account: string, to: string, visited: Set<string>): void {
    const exporter = this.#accounts.get(account);
    if (exporter?.exports.some((row) => row.kind === 'stream' && isSubsetMatch(to, row.subject)) !== true) return;
    for (const one of this.drafts.get(account)?.streams ?? []) {
      if (!subjectsOverlap(to, one.local)) continue;
      if (visited.has(one.account)) throw new Refused('import forms a cycle');
      visited.add(account);
      this.#refuseStreamCycle(one.account, isSubsetMatch(one.local, to) ? one.local : to, visited);
    }
  }

  #refuseServiceCycle(account: string, from: string, visited: Set<string>): void {
    for (const one of this.drafts.get(account)?.services ?? []) {
      if (!subjectsOverlap(from, one.to)) continue;
      if (visited.has(one.account)) throw new Refused('import forms a cycle');
      visited.add(account);
      this.#refuseServiceCycle(one.account, isSubsetMatch(one.local, from) ? one.local : from, visited);
    }
  }
}

function serviceExport(account: string, row: ExportOptions | undefined, to: string): ServiceExport {
  return {
    account,
    subject: row?.subject ?? to,
    responseType: row?.responseType ?? 'singleton',
    thresholdMs: row?.responseThresholdMs || DEFAULT_THRESHOLD_MS,
    ...(row?.latency === undefined ? {} : { latency: row.latency }),
    ...(row?.allowTrace === true && { allowTrace: true as const }),
  };
}

/** The imports of all accounts, streams before services, with everything that is wrong with them. */
export function compileImports(accounts: Accounts): CompiledImports {
  const compiler = new ImportCompiler(accounts);
  compiler.run();
  return { accounts: compiler.drafts, problems: compiler.problems };
}

/** Accounts whose messages are traced when a tracing system marks them. */
export function tracedAccounts({ accounts }: { readonly accounts: Accounts }): Map<string, MessageTraceOptions> {
  return new Map(
    [...accounts.values()].flatMap(({ name, messageTrace }) =>
      messageTrace === undefined ? [] : [[name, messageTrace] as const],
    ),
  );
}
