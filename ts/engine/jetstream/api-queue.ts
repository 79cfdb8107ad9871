// How many API requests may be under way in the whole server: taken and not answered, because their answer waits for the disk or for work that
// takes its time. One more than that is dropped without an answer, the log says so now and then, and the system account hears how many.
// Requests for information have a limit of their own, so that they do not crowd out what changes something.

import type { Document } from '../../core/jetstream/schema.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { ApiLine } from './api-line.ts';

export type ApiQueueName = 'changes' | 'infos';

export interface ApiQueueLimits {
  readonly changes: number;
  readonly infos: number;
}

export interface ApiQueuePorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Calls once before this turn's output is flushed. */
  readonly soon: (call: () => void) => void;
  /** Tells the system account. */
  readonly advise: (fields: Document) => void;
}

const names: Readonly<Record<ApiQueueName, string>> = { changes: 'JetStream API queue', infos: 'JetStream API info queue' };
/** The log says the same at most so often. */
const quietMs = 1_000;

export class ApiQueue {
  readonly #ports: ApiQueuePorts;
  readonly #limits: () => ApiQueueLimits;
  readonly #underWay: Record<ApiQueueName, number> = { changes: 0, infos: 0 };
  readonly #dropped: Record<ApiQueueName, number> = { changes: 0, infos: 0 };
  readonly #saidAtMs: Record<ApiQueueName, number> = { changes: -Infinity, infos: -Infinity };

  /** Where those that were taken wait for their turn. */
  readonly line: ApiLine;

  constructor(ports: ApiQueuePorts, limits: () => ApiQueueLimits) {
    this.#ports = ports;
    this.#limits = limits;
    this.line = new ApiLine(ports);
  }

  /** Requests under way. */
  get inflight(): number {
    return this.#underWay.changes + this.#underWay.infos;
  }

  /** Takes a request, which `answered` follows, or drops it. */
  take(queue: ApiQueueName): boolean {
    if (this.#underWay[queue] < this.#limits()[queue]) {
      this.#underWay[queue] += 1;
      return true;
    }
    if (this.#dropped[queue] === 0) this.#ports.soon(() => this.#tell(queue));
    this.#dropped[queue] += 1;
    return false;
  }

  answered(queue: ApiQueueName): void {
    this.#underWay[queue] -= 1;
  }

  #tell(queue: ApiQueueName): void {
    const { log, clock, advise } = this.#ports;
    const dropped = this.#dropped[queue];
    this.#dropped[queue] = 0;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#saidAtMs[queue] >= quietMs) {
      this.#saidAtMs[queue] = nowMs;
      log.warn(`${names[queue]} limit reached, dropping ${dropped} requests`);
    }
    advise({ dropped });
  }
}
