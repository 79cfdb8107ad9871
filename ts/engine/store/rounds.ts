// Group commit: everything that a stream stages while its sync is under way rides its next. A round writes what its streams have staged, syncs
// every file and directory that changed, and only then lets the streams acknowledge.
//
// Several rounds may be under way, each with streams of its own, so that no stream waits for the files of others. The round of a stream whose
// publisher keeps a window waits for the rest of it, a moment (publish-window.ts).
//
// A round over many streams goes by way of the journal (journal/journal.ts): one file is synced in place of theirs.
//
// With a sync interval a round ends behind its writes, and the files are synced on the interval.

import type { Clock, Timer } from '../../ports/clock.ts';
import type { Disk, DiskFault, OpenFile, SyncFailure } from '../../ports/disk.ts';
import type { TakeAppended } from './appended.ts';
import type { Journal, JournalRound } from './journal/journal.ts';
import { PublishWindow } from './publish-window.ts';

/** A stream as its rounds see it. */
export interface RoundMember {
  /** The last sequence given out. */
  readonly lastSeq: number;
  /** Its round waits: the member is to be added again when there is more. */
  awaitMore(): void;
  /** Where its blocks are. */
  readonly directory: string;
  /**
   * Writes what is staged; what is acknowledged at the end of the round is fixed by this. `take` may take what is appended to blocks. Faults are
   * kept by the member.
   */
  write(take?: TakeAppended): void;
  /** The files written and not yet handed out. */
  takeUnsynced(): OpenFile[];
  /** Those of which `take` has everything. */
  takeTaken(): OpenFile[];
  /** A file that was handed out is synced, or never will be. */
  synced(file: OpenFile): void;
  /** The round is through. */
  settled(): void;
  /** A file of this stream could not be synced. */
  failed(fault: DiskFault): void;
}

export interface RoundsOptions {
  readonly disk: Pick<Disk, 'sync'>;
  /** For rounds over many streams. */
  readonly journal?: Journal | undefined;
  /** How many streams that are. */
  readonly journalFrom?: number;
  readonly clock: Clock;
  /** 0: sync before acknowledging. */
  readonly syncIntervalMs: number;
  /** Whether syncs take time. */
  readonly onDisk: boolean;
  /** Runs work that sends messages, so that they are flushed. */
  readonly turn: (work: () => void) => void;
  /** Calls once behind the events of the turn under way. */
  readonly soon: (call: () => void) => void;
}

/** A round that goes by way of the journal: files that are synced with it, and those of which it has everything. */
interface JournaledRound {
  readonly members: readonly RoundMember[];
  readonly owners: ReadonlyMap<OpenFile, RoundMember>;
  readonly taken: ReadonlyMap<OpenFile, RoundMember>;
  readonly journal: JournalRound;
  readonly logs: readonly OpenFile[];
}

/** Rounds under way at once. */
const MOST_ROUNDS = 4;
/** How long the rest of a publisher's window may take. */
const PATIENCE_MS = 2;

export class Rounds {
  readonly #disk: Pick<Disk, 'sync'>;
  readonly #journal: Journal | undefined;
  readonly #journalFrom: number;
  readonly #turn: (work: () => void) => void;
  readonly #soon: (call: () => void) => void;
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #onDisk: boolean;
  readonly #timer: Timer | undefined;
  /** They have something for a round and are in none. */
  readonly #ready = new Set<RoundMember>();
  /** They have something for the round behind the one they are in. */
  readonly #waiting = new Set<RoundMember>();
  /** They are in a round, that has what there was up to a sequence. */
  readonly #inRound = new Map<RoundMember, number>();
  readonly #windows = new Map<RoundMember, PublishWindow>();
  /** Rounds that wait for the rest of a window. */
  readonly #patience = new Map<RoundMember, Timer>();
  #underWay = 0;
  readonly #late = new Map<OpenFile, RoundMember>();
  #scheduled = false;
  #lateBusy = false;
  /** Called when a round or a late sync has ended. */
  #ended: (() => void)[] = [];

  constructor(options: RoundsOptions) {
    this.#disk = options.disk;
    this.#journal = options.journal;
    this.#journalFrom = options.journalFrom ?? Infinity;
    this.#turn = options.turn;
    this.#soon = options.soon;
    this.#clock = options.clock;
    this.#interval = options.syncIntervalMs;
    this.#onDisk = options.onDisk;
    this.#timer = options.syncIntervalMs > 0 ? options.clock.every(options.syncIntervalMs, () => this.#syncLate()) : undefined;
  }

  /** Whether acknowledgements wait for the sync. */
  get synchronous(): boolean {
    return this.#interval === 0;
  }

  /** The member has something for its next round, which begins at the end of the turn if it may begin. */
  add(member: RoundMember): void {
    if (this.#inRound.has(member)) {
      this.#waiting.add(member);
      return;
    }
    this.#ready.add(member);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#ready.size === 0 || this.#underWay >= MOST_ROUNDS) return;
    this.#scheduled = true;
    this.#soon(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  /** The member is gone. */
  forget(member: RoundMember): void {
    this.#ready.delete(member);
    this.#waiting.delete(member);
    this.#windows.delete(member);
    this.#endPatience(member);
    for (const [file, owner] of this.#late) {
      if (owner !== member) continue;
      this.#late.delete(file);
      member.synced(file);
    }
  }

  /** Whether a round begins later, because the rest of a publisher's window is to come. */
  #waitsForMore(member: RoundMember): boolean {
    if (this.#windows.get(member)?.expectsMore(member.lastSeq) !== true) {
      this.#endPatience(member);
      return false;
    }
    member.awaitMore();
    if (this.#patience.has(member)) return true;
    const timer = this.#clock.after(PATIENCE_MS, () => {
      this.#windows.get(member)?.missed();
      this.#turn(() => this.#start());
    });
    this.#patience.set(member, timer);
    return true;
  }

  #endPatience(member: RoundMember): void {
    this.#patience.get(member)?.cancel();
    this.#patience.delete(member);
  }

  /** Begins a round, unless as many are under way as may be: then it begins behind one of those. */
  #start(): void {
    if (this.#underWay >= MOST_ROUNDS) return;
    const members = [...this.#ready].filter((member) => !this.#waitsForMore(member));
    if (members.length === 0) return;
    this.#underWay++;
    const journal = members.length < this.#journalFrom ? undefined : this.#journal?.round();
    const owners = new Map<OpenFile, RoundMember>();
    const taken = new Map<OpenFile, RoundMember>();
    for (const member of members) {
      this.#ready.delete(member);
      this.#inRound.set(member, member.lastSeq);
      member.write(journal?.add);
      for (const file of member.takeUnsynced()) owners.set(file, member);
      for (const file of member.takeTaken()) taken.set(file, member);
    }
    const logs = journal?.end() ?? [];
    if (journal !== undefined && logs.length > 0) return this.#syncLogs({ members, owners, taken, journal, logs });
    for (const [file, member] of taken) owners.set(file, member);
    if (this.synchronous && owners.size > 0)
      return this.#syncFiles(owners, (failures) => this.#through(members, owners, failures));
    for (const [file, member] of owners) {
      if (this.#late.has(file)) member.synced(file);
      this.#late.set(file, member);
    }
    this.#through(members, owners, []);
  }

  #syncFiles(files: ReadonlyMap<OpenFile, unknown>, done: (failures: readonly SyncFailure[]) => void): void {
    this.#disk.sync([...files.keys()], (failures) => this.#turn(() => done(failures)));
  }

  /** The round is in the journal, except what is not only appended: that is synced with it. */
  #syncLogs({ members, owners, taken, journal, logs }: JournaledRound): void {
    const all = new Map([...owners, ...taken]);
    this.#disk.sync([...owners.keys(), ...logs], (failures) => {
      this.#turn(() => {
        if (journal.synced(new Set(taken.values()), failures)) return this.#through(members, all, failures);
        this.#syncFiles(taken, (more) => this.#through(members, all, [...failures, ...more]));
      });
    });
  }

  #through(members: readonly RoundMember[], owners: ReadonlyMap<OpenFile, RoundMember>, failures: readonly SyncFailure[]): void {
    this.#underWay--;
    for (const { file, fault } of failures) owners.get(file)?.failed(fault);
    if (this.synchronous) for (const [file, member] of owners) member.synced(file);
    for (const member of members) {
      this.#wasQuiet(member);
      this.#inRound.delete(member);
      if (this.#waiting.delete(member)) this.#ready.add(member);
      member.settled();
    }
    this.#start();
    this.#told();
  }

  /** Looks whether everything that a member has is acknowledged with this round. */
  #wasQuiet(member: RoundMember): void {
    const { lastSeq } = member;
    if (!this.#onDisk || !this.synchronous || lastSeq !== this.#inRound.get(member)) return;
    let window = this.#windows.get(member);
    if (window === undefined) this.#windows.set(member, (window = new PublishWindow()));
    window.quiet(lastSeq);
  }

  #told(): void {
    for (const call of this.#ended.splice(0)) call();
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
        this.#told();
      });
    });
  }

  #has(member: RoundMember): boolean {
    if (this.#ready.has(member) || this.#waiting.has(member) || this.#inRound.has(member)) return true;
    return this.#lateBusy || [...this.#late.values()].includes(member);
  }

  /** Resolves when nothing of a member is left to write or to sync, though some of it may be in its place only by way of the journal. */
  async drained(member: RoundMember): Promise<void> {
    for (;;) {
      this.#windows.get(member)?.forget();
      this.#start();
      this.#syncLate();
      if (!this.#has(member)) return;
      await new Promise<void>((resolve) => this.#ended.push(resolve));
    }
  }

  stop(): void {
    this.#timer?.cancel();
    for (const timer of this.#patience.values()) timer.cancel();
  }
}
