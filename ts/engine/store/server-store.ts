// A server's store: streams on disk, and beside them streams in memory, which are the same code over buffers. A stream's storage says where it is
// made; only what is on disk is ever found again.

import { StreamKernel } from '../../kernel/streams.ts';
import { ColdIndex, indexBytesMost } from './cold-index.ts';
import { FileStore, type FileStoreOptions, type FileStorePorts } from './file-store.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryJobs } from './memory-jobs.ts';
import type { FoundStream, Store, StreamOptions, StreamStaging, StreamStore } from './store.ts';
import type { MetricHistogram } from '../../ports/metrics.ts';
import { Windows } from './windows.ts';

/** A directory name that no listing shows to anybody. */
const MEMORY_ROOT = '/memory';

/** What the server gives; windows are shared by both kinds of streams. */
export type ServerStorePorts = Omit<FileStorePorts, 'windows' | 'index'>;

export interface ServerStoreOptions extends FileStoreOptions {
  /** What the indexes of all streams may take before the oldest parts go to a file; absent: 64 MiB. */
  readonly indexBytes?: number;
}

export class ServerStore implements Store {
  readonly #files: FileStore;
  readonly #memory: FileStore;
  readonly #cold: ColdIndex;

  constructor(options: ServerStoreOptions, given: ServerStorePorts) {
    const streams = new StreamKernel(given.kernel);
    this.#cold = new ColdIndex(given.disk, options.root, given.log);
    const ports = { ...given, windows: new Windows(streams), index: this.#cold };
    given.kernel.cold = this.#cold;
    this.#cold.onLost = () => given.soon(() => this.#indexLost(streams));
    streams.exports.boundIndex(options.indexBytes ?? indexBytesMost);
    const disk = new MemoryDisk(given.clock);
    const { closed: _, ...shared } = ports;
    const upkeep = options.upkeep === undefined ? {} : { upkeep: options.upkeep };
    this.#files = new FileStore(options, ports);
    this.#memory = new FileStore(
      { root: MEMORY_ROOT, syncIntervalMs: 0, inMemory: true, ...upkeep },
      { ...shared, disk, jobs: new MemoryJobs(disk, ports.jobs) },
    );
  }

  /** The file is not to be relied on: no more goes there, and whose index has lost something makes it anew. */
  #indexLost(streams: StreamKernel): void {
    streams.exports.boundIndex(0);
    this.#files.failLost();
    this.#memory.failLost();
  }

  /** A ring entry of the store. */
  event(type: number, words: Uint32Array, at: number): void {
    const isOfFiles = this.#files.owns(words[at] ?? 0);
    (isOfFiles ? this.#files : this.#memory).event(type, words, at);
  }

  get isMemoryShort(): boolean {
    return this.#files.isMemoryShort;
  }

  get syncTimes(): MetricHistogram {
    return this.#files.syncTimes;
  }

  find(accountName: string): FoundStream[] {
    return this.#files.find(accountName);
  }

  accounts(): string[] {
    return this.#files.accounts();
  }

  create(options: StreamOptions, meta: string): StreamStore {
    return (options.storage === 'memory' ? this.#memory : this.#files).create(options, meta);
  }

  recover(options: StreamOptions): Promise<StreamStore> {
    return this.#files.recover(options);
  }

  stage(accountName: string, id: string): StreamStaging {
    return this.#files.stage(accountName, id);
  }

  async stop(): Promise<void> {
    await this.#memory.stop();
    await this.#files.stop();
    this.#cold.close();
  }
}
