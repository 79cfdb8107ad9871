// The way that a message goes by the subscriptions and imports there are: its receivers, and what of it goes to other accounts. It is worked
// out for messages that are traced; what was really delivered is compared with it behind.
// Kept true: receivers are in the order in which nats-server comes by them; a message passes the same exported service only once.

import { applyPieces } from '../../core/subject/import-mapping.ts';
import { isSubsetMatch, tokens } from '../../core/subject/subject.ts';
import { subscriptionKind } from '../../kernel/constants.ts';
import type { ListedSubscription } from '../../kernel/kernel.ts';
import type { TracedPlace } from '../snapshot.ts';
import type { Broker } from './broker.ts';

export type WayStep = ReceiverStep | ExportStep | ImportStep;

export interface ReceiverStep {
  readonly kind: 'receiver';
  readonly account: string;
  readonly row: ListedSubscription;
}

export interface ExportStep {
  readonly kind: 'export';
  readonly account: string;
  readonly to: string;
  /** What follows there may be told. */
  readonly steps: readonly WayStep[];
}

export interface ImportStep {
  readonly kind: 'import';
  readonly account: string;
  readonly from: string;
  readonly to: string;
  readonly steps: readonly WayStep[];
}

interface Found {
  readonly pattern: readonly string[];
  readonly queue: string;
  readonly step: WayStep;
}

const LITERAL = 2;

/** At each token `>` comes first, then `*`, then a literal; at the last one the literal comes before `*`. */
function rank(pattern: readonly string[], at: number): number {
  if (pattern[at] === '>') return 0;
  if (pattern[at] !== '*') return LITERAL;
  return at === pattern.length - 1 ? LITERAL + 1 : 1;
}

function compare(a: Found, b: Found): number {
  if ((a.queue === '') !== (b.queue === '')) return a.queue === '' ? -1 : 1;
  for (let at = 0; at < Math.min(a.pattern.length, b.pattern.length); at++) {
    const difference = rank(a.pattern, at) - rank(b.pattern, at);
    if (difference !== 0) return difference;
  }
  return 0;
}

export class TraceWay {
  readonly steps: readonly WayStep[];
  /** Where the message comes by and is still traced. */
  readonly places: TracedPlace[] = [];
  readonly #broker: Broker;

  constructor(broker: Broker, account: string, subject: string) {
    this.#broker = broker;
    this.steps = this.#from(account, subject, undefined);
  }

  /** Subscriptions of clients in an account that match. */
  #receivers(account: string, subject: string): ListedSubscription[] {
    const { kernel, accounts } = this.#broker;
    const rows = kernel.subscriptionsIn(accounts.get(account).handle);
    return rows.filter((row) => row.kind === subscriptionKind.client && isSubsetMatch(subject, row.subject));
  }

  /** `passed`: the exported services that the message came through; what a service brought goes to no stream import. */
  #from(account: string, subject: string, passed: readonly string[] | undefined): readonly WayStep[] {
    this.places.push({ account, subject });
    const found = this.#receivers(account, subject).map((row): Found => {
      return { pattern: tokens(row.subject), queue: row.queue, step: { kind: 'receiver', account, row } };
    });
    if (passed === undefined) found.push(...this.#exports(account, subject));
    found.push(...this.#services(account, subject, passed ?? []));
    return found.sort(compare).map(({ step }) => step);
  }

  #exports(account: string, subject: string): Found[] {
    const imported = this.#broker.imports.streamsOf(account).filter(([, { from }]) => isSubsetMatch(subject, from));
    return imported.flatMap(([importer, { mapping, from, allowTrace }]) => {
      const to = mapping === undefined ? subject : applyPieces(mapping.pieces, subject);
      if (allowTrace === true) this.places.push({ account: importer, subject: to });
      return this.#receivers(importer, to).map((row): Found => {
        const steps: WayStep[] = allowTrace === true ? [{ kind: 'receiver', account: importer, row }] : [];
        return { pattern: tokens(from), queue: row.queue, step: { kind: 'export', account: importer, to, steps } };
      });
    });
  }

  #services(account: string, subject: string, passed: readonly string[]): Found[] {
    const { accounts, imports } = this.#broker;
    const rows = imports.of(account).services.filter(({ local }) => isSubsetMatch(subject, local));
    return rows.flatMap(({ local, mapping, exported }): Found[] => {
      const key = `${exported.account} ${exported.subject}`;
      if (passed.includes(key)) return [];
      const there = mapping === undefined ? subject : applyPieces(mapping.pieces, subject);
      const { mapper } = accounts.get(exported.account);
      const to = mapper === undefined ? there : mapper.map(there);
      if (to === undefined) return [];
      const steps = exported.allowTrace === true ? this.#from(exported.account, to, [...passed, key]) : [];
      const step: ImportStep = { kind: 'import', account: exported.account, from: subject, to, steps };
      return [{ pattern: tokens(local), queue: '', step }];
    });
  }
}
