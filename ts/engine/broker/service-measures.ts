// Services whose exports want to hear how long requests take: the kernel tells of each request and how it ended, and here it is chosen what
// is measured, and reported.
// Kept true: of each request chosen one report is made, unless its import is gone before or the server answered it itself.

import type { ServiceImport } from '../../core/account/imports.ts';
import { sample, type SamplingHeaders } from '../../core/account/sampling.ts';
import type { LatencyOptions } from '../../core/config/options-auth.ts';
import { measuredOutcome } from '../../kernel/constants.ts';
import type { Instant } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { ClientDocument, ServiceMeasure } from '../snapshot.ts';
import type { KernelAccount } from './accounts.ts';
import type { Broker } from './broker.ts';
import type { ClientConnection } from './client.ts';
import { clientInfo, shortClientInfo } from './request-info.ts';

interface Measured {
  readonly home: KernelAccount;
  readonly account: string;
  readonly share: boolean;
  readonly latency: LatencyOptions;
}

interface Awaited {
  readonly service: number;
  readonly measured: Measured;
  readonly reply: string;
  readonly requestor: ClientDocument | undefined;
  readonly rttMs: number;
  readonly headers: SamplingHeaders;
  readonly start: Instant;
  readonly sinceMs: number;
}

export interface AskedService {
  /** 0: no reply is awaited. */
  readonly number: number;
  readonly service: number;
  /** Kernel index of the requestor, 0 for the server itself. */
  readonly connection: number;
  readonly reply: string;
}

type Report = (measure: ServiceMeasure) => void;

function before({ seconds, nanos }: Instant, ms: number): Instant {
  const past = nanos - Math.round(ms * 1e6);
  const borrowed = past < 0 ? Math.ceil(-past / 1e9) : 0;
  return { seconds: seconds - borrowed, nanos: past + borrowed * 1e9 };
}

export class ServiceMeasures {
  readonly #broker: Broker;
  readonly #services = new Map<number, Measured>();
  readonly #awaited = new Map<number, Awaited>();
  #random: Random | undefined;
  #report: Report = () => {};

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Nothing is measured before. */
  start(random: Random, report: Report): void {
    this.#random = random;
    this.#report = report;
  }

  /** A service is imported under its kernel handle. */
  opened(service: number, home: KernelAccount, { account, share, exported }: ServiceImport): void {
    if (exported.latency !== undefined) this.#services.set(service, { home, account, share, latency: exported.latency });
  }

  closed(service: number): void {
    if (!this.#services.delete(service)) return;
    for (const [number, awaited] of this.#awaited) if (awaited.service === service) this.#awaited.delete(number);
  }

  asked({ number, service, connection, reply }: AskedService, block: Uint8Array): void {
    const measured = this.#services.get(service);
    const random = this.#random;
    if (measured === undefined || random === undefined) return;
    const headers = sample(measured.latency.sampling, block, () => random.below(100));
    if (headers === undefined) return;
    const { clock, serverName } = this.#broker;
    const asks = this.#broker.at(connection);
    const rttMs = asks?.session.facts.rttMs ?? 0;
    const describe = measured.share ? clientInfo : shortClientInfo;
    const requestor = asks && describe(asks, serverName);
    const start = before(clock.wallInstant(), rttMs);
    const awaited = { service, measured, reply, requestor, rttMs, headers, start, sinceMs: clock.monotonicMs() };
    if (number === 0) this.#tell(awaited, 'notAwaited');
    else this.#awaited.set(number, awaited);
  }

  ended(number: number, outcome: number, responder: ClientConnection | undefined): void {
    const awaited = this.#awaited.get(number);
    if (!this.#awaited.delete(number) || awaited === undefined) return;
    if (outcome === measuredOutcome.notTaken) return this.#tell(awaited, 'notTaken');
    if (outcome === measuredOutcome.timedOut) return this.#tell(awaited, 'timedOut');
    if (responder === undefined) return;
    const respondedMs = responder.session.facts.rttMs ?? 0;
    const tookMs = this.#broker.clock.monotonicMs() - awaited.sinceMs;
    this.#tell(awaited, 'answered', {
      responder: clientInfo(responder, this.#broker.serverName),
      serviceMs: tookMs - respondedMs,
      totalMs: awaited.rttMs + tookMs,
    });
  }

  /** Requestors of an account may not listen any more. */
  interestLost(id: number): void {
    const { accounts, imports, kernel } = this.#broker;
    const account = accounts.byId(id);
    if (account === undefined) return;
    imports.kernel.lookedAtLoss(account.handle);
    for (const [number, awaited] of this.#awaited) {
      if (awaited.measured.home !== account || kernel.hasInterest(account.handle, awaited.reply)) continue;
      this.#awaited.delete(number);
      this.#tell(awaited, 'lost');
    }
  }

  #tell(
    { measured, requestor, headers, start }: Awaited,
    outcome: ServiceMeasure['outcome'],
    answer: Partial<ServiceMeasure> = {},
  ): void {
    const { account, latency } = measured;
    const made = { account, subject: latency.subject, outcome, headers, start, serviceMs: 0, totalMs: 0 };
    this.#report({ ...made, ...(requestor && { requestor }), ...answer });
  }
}
