/**
 * A store over a real directory with a real kernel, without a server: turns run at once, what the kernel routes to replies is not looked at.
 */
import { Kernel } from '../../ts/kernel/kernel.ts';
import type { EventSink } from '../../ts/kernel/events.ts';
import { nodeCiphers } from '../../ts/node/ciphers.ts';
import { NodeClock } from '../../ts/node/clock.ts';
import { NodeDisk } from '../../ts/node/disk.ts';
import { NodeJobs } from '../../ts/node/jobs.ts';
import { loadKernel } from '../../ts/node/wasm.ts';
import type { EncryptionOptions } from '../../ts/engine/store/cipher/keyring.ts';
import { ServerStore } from '../../ts/engine/store/server-store.ts';
import type { UpkeepOptions } from '../../ts/engine/store/upkeep.ts';
import type { StoreLimits, StreamOptions, StreamStore } from '../../ts/engine/store/store.ts';
import type { Disk } from '../../ts/ports/disk.ts';
import type { Jobs } from '../../ts/ports/jobs.ts';
import type { Log } from '../../ts/ports/log.ts';

export const noLimits: StoreLimits = {
  maxMessages: -1,
  maxBytes: -1,
  maxAgeMs: 0,
  maxMessageSize: -1,
  maxMessagesPerSubject: -1,
  discard: 'old',
  discardNewPerSubject: false,
};

/** A log that keeps its lines. */
export function keptLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep =
    (level: string) =>
    (text: string): void => {
      lines.push(`${level} ${text}`);
    };
  return {
    lines,
    debugOn: false,
    traceOn: false,
    fatal: keep('FTL'),
    error: keep('ERR'),
    warn: keep('WRN'),
    info: keep('INF'),
    debug: keep('DBG'),
    trace: keep('TRC'),
  };
}

export interface TestStore {
  readonly store: ServerStore;
  readonly kernel: Kernel;
  readonly account: number;
  readonly log: ReturnType<typeof keptLog>;
  /** Runs work as a turn: events are handled, rounds begin. */
  turn(work: () => void): void;
  options(name: string, more?: Partial<StreamOptions>): StreamOptions;
  stop(): Promise<void>;
}

const module = loadKernel('server', import.meta.dirname);

export interface TestStoreOptions {
  readonly encryption?: EncryptionOptions;
  readonly jobs?: Jobs;
  readonly upkeep?: UpkeepOptions;
  readonly maximumPages?: number;
  readonly indexBytes?: number;
  readonly journalFrom?: number;
}

export function openTestStore(
  root: string,
  disk: Disk = new NodeDisk(),
  syncIntervalMs = 0,
  { encryption, jobs = new NodeJobs(), upkeep, maximumPages = 65536, indexBytes, journalFrom }: TestStoreOptions = {},
): TestStore {
  const kernel = new Kernel({ module, seed: [1, 2], maximumPages });
  const clock = new NodeClock();
  const log = keptLog();
  const account = kernel.openAccount(1);
  const later: (() => void)[] = [];
  let depth = 0;
  const sink = {
    store: (type: number, words: Uint32Array, at: number) => store.event(type, words, at),
    broken: (error: unknown) => {
      throw error;
    },
  } as unknown as EventSink;
  const turn = (work: () => void): void => {
    const { seconds, nanos } = clock.wallInstant();
    kernel.exports.setNow(seconds, nanos);
    depth++;
    try {
      work();
    } finally {
      if (--depth === 0) settle();
    }
  };
  function settle(): void {
    do {
      kernel.drain(sink);
      for (const call of later.splice(0)) call();
    } while (kernel.hasEvents || later.length > 0);
  }
  const soon = (call: () => void): void => {
    later.push(call);
    if (depth === 0) queueMicrotask(() => turn(() => {}));
  };
  const ports = { kernel, disk, jobs, ciphers: nodeCiphers, clock, log, turn, soon };
  const store: ServerStore = new ServerStore(
    {
      root,
      syncIntervalMs,
      ...(encryption === undefined ? {} : { encryption }),
      ...(upkeep === undefined ? {} : { upkeep }),
      ...(indexBytes === undefined ? {} : { indexBytes }),
      ...(journalFrom === undefined ? {} : { journalFrom }),
    },
    ports,
  );
  const options = (name: string, more: Partial<StreamOptions> = {}): StreamOptions => ({
    accountName: '$G',
    account,
    name,
    storage: 'file',
    retention: 'limits',
    limits: noLimits,
    noAck: false,
    sealed: false,
    compression: 'none',
    persist: 'default',
    firstSeq: 0,
    ...more,
  });
  return { store, kernel, account, log, turn, options, stop: () => store.stop() };
}

export { untilSynced as synced } from '../../ts/engine/store/everything-on-disk.ts';

/** Subjects that match and how many messages each has, asked for so many at a time. */
export function subjectsOf(
  stream: Pick<StreamStore, 'subjects'>,
  filter: string,
  most = 1000,
): [subject: string, count: number][] {
  const all: [string, number][] = [];
  let after: Uint8Array | undefined;
  do {
    const { subjects, next } = stream.subjects(filter, most, after);
    for (const [subject, count] of subjects) all.push([subject, count]);
    after = next;
  } while (after !== undefined);
  return all;
}
