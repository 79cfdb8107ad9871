/** A store whose rounds go by way of the journal, however few streams they are over; and what a crash leaves of it. */
import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StreamOptions, StreamStore } from '../../ts/engine/store/store.ts';
import { HeldDisk } from './held-disk.ts';
import { openTestStore, synced, type TestStore } from './store.ts';
import { killedStore, temporaryFolder } from './temporary.ts';

const encoder = new TextEncoder();

/** The names of the logs in a store's directory. */
export function logsOf(root: string): string[] {
  return readdirSync(root).filter((name) => name.endsWith('.journal'));
}

export class JournaledStore {
  readonly root: string;
  readonly disk: HeldDisk;
  readonly server: TestStore;

  constructor(root = temporaryFolder(), disk = new HeldDisk()) {
    this.root = root;
    this.disk = disk;
    this.server = openTestStore(root, disk, 0, { journalFrom: 1 });
  }

  create(name: string, more: Partial<StreamOptions> = {}): StreamStore {
    return this.server.store.create(this.server.options(name, more), '{}');
  }

  recover(name: string, more: Partial<StreamOptions> = {}): Promise<StreamStore> {
    return this.server.store.recover(this.server.options(name, more));
  }

  put(stream: StreamStore, payload: string): void {
    this.server.turn(() => {
      stream.append({ subject: 'a', payload: encoder.encode(payload) });
    });
  }

  blockOf(stream: StreamStore, block = 1): string {
    return join(this.root, '$G/streams', stream.name, `msgs/${block}.blk`);
  }

  /** What is in the logs. */
  get logged(): Buffer {
    return Buffer.concat(logsOf(this.root).map((name) => readFileSync(join(this.root, name))));
  }

  /** Publishes to a stream until what it has there goes by way of the journal. */
  async warm(stream: StreamStore): Promise<void> {
    while (this.logged.length === 0) {
      this.put(stream, 'warm');
      await synced(stream);
      await nextTurn();
    }
  }

  /** The store as a crash leaves it; with `lengths`, one of the system, where blocks have lost all behind these. */
  crashed(lengths: ReadonlyMap<string, number> = new Map()): string {
    const left = killedStore(this.root);
    for (const [path, length] of lengths) truncateSync(path.replace(this.root, left), length);
    return left;
  }
}

export function textOf(stream: StreamStore, seq: number): string | undefined {
  const message = stream.get(seq);
  return message === undefined ? undefined : Buffer.from(message.payload).toString();
}
