// A stream directory that is unpacked from an archive, `<account>/__snapshots__/snap-<id>`, and moved beside the others when it is complete.
//
// What stays true: nothing outside of the directory is written, whatever names an archive has; every file is synced before the directory moves,
// unless acknowledgements do not wait for syncs; the journal names none of its blocks then, as it may when a stream of that name was removed; what is
// given up is removed, and what a crash leaves is removed at the next start.

import { ArchiveError } from '../../core/archive/archive-error.ts';
import { isAssetName } from '../../core/jetstream/names.ts';
import { DiskFault, type Disk, type OpenFile } from '../../ports/disk.ts';
import type { Jobs } from '../../ports/jobs.ts';
import type { Log } from '../../ports/log.ts';
import type { Journal } from './journal/journal.ts';
import { removedName } from './removed.ts';
import { StreamDirectory, streamsPath, type DirectoryPorts } from './stream-directory.ts';
import { Unpacking } from './unpacking.ts';
import { StoreFault, type FoundStream, type StreamStaging } from './store.ts';

const decoder = new TextDecoder();
const streamFile = /^(meta\.(inf|sum)|msgs\/([1-9][0-9]*\.blk|index\.db))$/;
const consumerFile = /^obs\/([^/]+)\/(meta\.inf|meta\.sum|o\.dat)$/;

/** Where an account's restores are unpacked. */
export function stagingPath(root: string, accountName: string): string {
  return `${root}/${accountName}/__snapshots__`;
}

/** Less is written at once. */
const APART = 128 << 10;

/** A file that is being written. */
interface StagedFile {
  readonly open: OpenFile;
  writes: number;
  isComplete: boolean;
}

export interface StagingPlace {
  readonly root: string;
  readonly accountName: string;
  readonly id: string;
}

export interface StagingPorts extends DirectoryPorts {
  readonly journal: Pick<Journal, 'names' | 'without'> | undefined;
  readonly jobs: Pick<Jobs, 'unpack'>;
  readonly log: Log;
}

export class Staging implements StreamStaging {
  readonly #ports: StagingPorts;
  readonly #place: StagingPlace;
  #path: string;
  #file: StagedFile | undefined;
  /** Writes that are under way, and who waits for them. */
  #writes = 0;
  #unwritten: (() => void)[] = [];
  #offset = 0;
  #syncing = 0;
  #fault: StoreFault | undefined;
  #waiting: (() => void)[] = [];
  #discarded = false;
  /** What is still to be synced nobody waits for. */
  #isBehind = false;

  constructor(ports: StagingPorts, place: StagingPlace) {
    this.#ports = ports;
    this.#place = place;
    this.#path = `${stagingPath(place.root, place.accountName)}/snap-${place.id}`;
    this.#guarded(() => {
      ports.disk.makeDirectory(`${this.#path}/msgs`);
      ports.disk.makeDirectory(`${this.#path}/obs`);
    });
  }

  get #disk(): Disk {
    return this.#ports.disk;
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#faultOf(error);
    }
  }

  #faultOf(error: unknown): unknown {
    return error instanceof DiskFault ? new StoreFault(error.code, error.message, error) : error;
  }

  begin(name: string): void {
    if (name.split('/').some((part) => part === '' || part === '.' || part === '..'))
      throw new ArchiveError(`"${name}" does not name a file of a stream`);
    if (name === 'errors.txt') throw new ArchiveError('the backup is not complete: it says that it failed');
    const consumer = consumerFile.exec(name)?.[1];
    const isKept = consumer === undefined ? streamFile.test(name) : isAssetName(consumer);
    if (!isKept) return;
    this.#guarded(() => {
      if (consumer !== undefined) this.#disk.makeDirectory(`${this.#path}/obs/${consumer}`);
      const open = this.#disk.open(`${this.#path}/${name}`, true);
      this.#file = { open, writes: 0, isComplete: false };
      this.#disk.cut(open, 0);
    });
    this.#offset = 0;
  }

  data(bytes: Uint8Array): void {
    const file = this.#file;
    if (file === undefined) return;
    const offset = this.#offset;
    this.#offset += bytes.length;
    if (bytes.length < APART) return this.#guarded(() => this.#disk.write(file.open, [bytes], offset));
    file.writes++;
    this.#writes++;
    this.#disk.writeApart(file.open, bytes, offset, (fault) => this.#wrote(file, fault));
  }

  #wrote(file: StagedFile, fault: DiskFault | undefined): void {
    file.writes--;
    this.#writes--;
    this.#failed(fault);
    if (file.isComplete && file.writes === 0) this.#sync(file.open);
    if (this.#writes > 0) return;
    if (this.#discarded) this.#remove();
    for (const call of this.#unwritten.splice(0)) call();
  }

  #failed(fault: DiskFault | undefined): void {
    if (fault === undefined) return;
    if (this.#isBehind) this.#ports.log.error(`JetStream restore: ${fault.message}`);
    this.#fault ??= new StoreFault(fault.code, fault.message, fault);
  }

  written(): Promise<void> | undefined {
    if (this.#writes === 0 && this.#fault === undefined) return undefined;
    return this.#allWritten();
  }

  async #allWritten(): Promise<void> {
    if (this.#writes > 0) await new Promise<void>((resolve) => this.#unwritten.push(resolve));
    if (this.#fault !== undefined) throw this.#fault;
  }

  finish(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    file.isComplete = true;
    if (file.writes === 0) this.#sync(file.open);
  }

  #sync(file: OpenFile): void {
    this.#syncing++;
    this.#disk.sync([file], (failures) => {
      this.#failed(failures[0]?.fault);
      this.#disk.close(file);
      this.#syncing--;
      if (this.#syncing === 0) for (const call of this.#waiting.splice(0)) call();
    });
  }

  unpacking(take: (content: Uint8Array) => Promise<void> | undefined, moved: () => void): Unpacking {
    return new Unpacking(this.#ports.jobs, take, moved);
  }

  async complete(): Promise<void> {
    this.#guarded(() => {
      const consumers = this.#disk.list(`${this.#path}/obs`).map(({ name }) => `/obs/${name}`);
      for (const below of [...consumers, '/obs', '/msgs', '']) this.#sync(this.#disk.openDirectory(`${this.#path}${below}`));
    });
    await this.written();
    this.#isBehind = this.#ports.metadata === 'unsynced';
    if (this.#syncing > 0 && !this.#isBehind) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#fault !== undefined) throw this.#fault;
  }

  async vacated(name: string): Promise<void> {
    try {
      await this.#ports.journal?.without(this.#target(name).blocks);
    } catch (error) {
      throw this.#faultOf(error);
    }
  }

  /** Where it is going to be. */
  #target(name: string): StreamDirectory {
    const { root, accountName } = this.#place;
    return new StreamDirectory(this.#ports, accountName, `${streamsPath(root, accountName)}/${name}`, name);
  }

  /** What was unpacked is plain. */
  #directory(name: string): StreamDirectory {
    return new StreamDirectory({ ...this.#ports, keyring: undefined }, this.#place.accountName, this.#path, name);
  }

  get meta(): string | undefined {
    const content = this.#guarded(() => this.#disk.readWhole(`${this.#path}/meta.inf`));
    return content === undefined ? undefined : decoder.decode(content);
  }

  find(name: string): FoundStream {
    return this.#guarded(() => {
      const directory = this.#directory(name);
      const found = directory.find();
      if (found.problem !== undefined) return found;
      const consumer = [...directory.consumers()].find(({ problem }) => problem !== undefined);
      return consumer === undefined ? found : { name, problem: `consumer '${consumer.name}': ${consumer.problem}` };
    });
  }

  writeMeta(name: string, meta: string): void {
    this.#guarded(() => this.#directory(name).writeMeta(meta));
  }

  install(name: string): void {
    const { root, accountName } = this.#place;
    const streams = streamsPath(root, accountName);
    const { path, blocks } = this.#target(name);
    this.#guarded(() => {
      if (this.#disk.exists(path)) throw new StoreFault('EXISTS', `${path} exists already`);
      if (this.#ports.journal?.names(blocks) === true)
        throw new StoreFault('BUSY', `${path} was removed only now: restore it once more`);
      this.#disk.makeDirectory(streams);
      this.#disk.rename(this.#path, path);
      this.#path = path;
      for (const directory of [streams, `${root}/${accountName}`, root]) this.#disk.syncDirectory(directory);
    });
  }

  discard(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    if (this.#writes === 0) this.#remove();
  }

  #remove(): void {
    const file = this.#file;
    this.#file = undefined;
    const { root, accountName } = this.#place;
    this.#guarded(() => {
      if (file !== undefined) this.#disk.close(file.open);
      this.#disk.discard(this.#path, `${streamsPath(root, accountName)}/${removedName}`);
    });
  }
}
