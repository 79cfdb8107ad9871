// Group commit: everything that arrived while one sync was under way rides the next. A round writes what its streams have staged, syncs
// every file and directory that changed on a thread of its own, and only then lets the streams acknowledge. One round at a time.
//
// With a sync interval a round ends behind its writes, and the files are synced on the interval.

import type { Clock, Timer } from '../../ports/clock.ts';
import type { Disk, DiskFault, OpenFile, SyncFailure } from '../../ports/disk.ts';

/** A stream as its rounds see it. */
export interface RoundMember {
  /** Writes what is staged; what is acknowledged at the end of the round is fixed by this. Faults are kept by the member. */
  write(): void;
  /** The files written and not yet handed out. */
  takeUnsynced(): OpenFile[];
  /** A file that was handed out is synced, or never will be. */
  synced(file: OpenFile): void;
  /** The round is through. */
  settled(): void;
  /** A file of this stream could not be synced. */
  failed(fault: DiskFault): void;
}

export interface RoundsOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  /** 0: sync before acknowledging. */
  readonly syncIntervalMs: number;
  /** Runs work that sends messages, so that they are flushed. */
  readonly turn: (work: () => void) => void;
  /** Calls once behind the events of the turn under way. */
  readonly soon: (call: () => void) => void;
}

export class Rounds {
  readonly #disk: Disk;
  readonly #turn: (work: () => void) => void;
  readonly #soon: (call: () => void) => void;
  readonly #interval: number;
  readonly #timer: Timer | undefined;
  #dirty = new Set<RoundMember>();
  readonly #late = new Map<OpenFile, RoundMember>();
  #busy = false;
  #scheduled = false;
  #lateBusy = false;
  #idle: (() => void)[] = [];

  constructor(options: RoundsOptions) {
    this.#disk = options.disk;
    this.#turn = options.turn;
    this.#soon = options.soon;
    this.#interval = options.syncIntervalMs;
    this.#timer = options.syncIntervalMs > 0 ? options.clock.every(options.syncIntervalMs, () => this.#syncLate()) : undefined;
  }

  /** Whether acknowledgements wait for the sync. */
  get synchronous(): boolean {
    return this.#interval === 0;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** The member has something for the next round, which begins at the end of the turn unless one is under way. */
  add(member: RoundMember): void {
    this.#dirty.add(member);
    if (this.#busy || this.#scheduled) return;
    this.#scheduled = true;
    this.#soon(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  /** The member is gone. */
  forget(member: RoundMember): void {
    this.#dirty.delete(member);
    for (const [file, owner] of this.#late) {
      if (owner !== member) continue;
      this.#late.delete(file);
      member.synced(file);
    }
  }

  /** Begins a round, unless one is under way: then it begins behind that. */
  #start(): void {
    if (this.#busy || this.#dirty.size === 0) return;
    this.#busy = true;
    const members = [...this.#dirty];
    this.#dirty = new Set();
    const owners = new Map<OpenFile, RoundMember>();
    for (const member of members) {
      member.write();
      for (const file of member.takeUnsynced()) owners.set(file, member);
    }
    if (this.synchronous && owners.size > 0) {
      this.#disk.sync([...owners.keys()], (failures) => this.#turn(() => this.#finish(members, owners, failures)));
      return;
    }
    for (const [file, member] of owners) {
      if (this.#late.has(file)) member.synced(file);
      this.#late.set(file, member);
    }
    this.#finish(members, owners, []);
  }

  #finish(members: readonly RoundMember[], owners: ReadonlyMap<OpenFile, RoundMember>, failures: readonly SyncFailure[]): void {
    this.#busy = false;
    for (const { file, fault } of failures) owners.get(file)?.failed(fault);
    if (this.synchronous) for (const [file, member] of owners) member.synced(file);
    for (const member of members) member.settled();
    this.#start();
    if (!this.#busy) for (const call of this.#idle.splice(0)) call();
  }

  #syncLate(): void {
    if (this.#late.size === 0 || this.#lateBusy) return;
    const owners = new Map(this.#late);
    this.#late.clear();
    this.#lateBusy = true;
    this.#disk.sync([...owners.keys()], (failures) => {
      this.#lateBusy = false;
      this.#turn(() => {
        for (const { file, fault } of failures) owners.get(file)?.failed(fault);
        for (const [file, member] of owners) member.synced(file);
        if (!this.#busy) for (const call of this.#idle.splice(0)) call();
      });
    });
  }

  /** Resolves when nothing is left to write or to sync. */
  async drained(): Promise<void> {
    this.#start();
    this.#syncLate();
    while (this.#busy || this.#lateBusy) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
      this.#start();
      this.#syncLate();
    }
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
