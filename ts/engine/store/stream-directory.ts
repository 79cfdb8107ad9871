// The directory of one stream beside its blocks: meta.inf and meta.sum, the consumers under obs/, and what a purge of nats-server that was
// interrupted has left. Nothing that cannot be read is ever removed here.

import { decodeConsumerState } from '../../core/consumer/o-dat.ts';
import type { BesideFileName } from '../../core/stream/times-file.ts';
import type { StreamKernel } from '../../kernel/streams.ts';
import type { Clock } from '../../ports/clock.ts';
import { DiskFault } from '../../ports/disk.ts';
import type { Disk, OpenFile } from '../../ports/disk.ts';
import type { Jobs } from '../../ports/jobs.ts';
import { BlockKeys } from './cipher/block-keys.ts';
import type { Keyring } from './cipher/keyring.ts';
import { SealedDirectory } from './cipher/sealed-directory.ts';
import { openArchive, type StreamDescription } from './archive.ts';
import { MetaWrites } from './meta-writes.ts';
import type { ListedBlock } from './block.ts';
import { indexFile, indexName } from './index-db.ts';
import { freeName } from './mend.ts';
import { purgedPath, removedName } from './removed.ts';
import { syncAll } from './sync-files.ts';
import type { FoundConsumer, FoundStream, StreamArchive } from './store.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface DirectoryPorts {
  readonly disk: Disk;
  readonly kernel: StreamKernel;
  readonly clock: Clock;
  /** Metadata is synced by the rounds of the stream, when it is written, or whenever the system likes. */
  readonly metadata: 'in rounds' | 'at once' | 'unsynced';
  /** Undefined: what is stored is plain. */
  readonly keyring: Keyring | undefined;
}

/** Where an account's streams are. */
export function streamsPath(root: string, accountName: string): string {
  return `${root}/${accountName}/streams`;
}

type Sealing = Pick<SealedDirectory, 'create' | 'seal'>;
type Unsealing = Pick<SealedDirectory, 'unseal' | 'problem'>;

/** A document's first and last byte. */
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** A directory of metadata, and the name its checksum is made with. */
interface MetaPlace {
  readonly path: string;
  readonly keyName: string;
  readonly seal: Sealing;
  /** Nothing is in it that a reader could take for what is written. */
  readonly isNew: boolean;
}

const noTickets = { last: 0, durable: 0 } as const;

const plain: Sealing & Unsealing = {
  problem: undefined,
  create: () => {},
  seal: (content) => content,
  unseal: (content) => content,
};

export class StreamDirectory {
  readonly path: string;
  readonly name: string;
  readonly accountName: string;
  readonly #ports: DirectoryPorts;
  #seals: Map<string, SealedDirectory> | undefined;
  /** What rides the rounds of the stream. */
  #writes: MetaWrites | undefined;

  constructor(ports: DirectoryPorts, accountName: string, path: string, name: string) {
    this.#ports = ports;
    this.accountName = accountName;
    this.path = path;
    this.name = name;
  }

  get blocks(): string {
    return `${this.path}/msgs`;
  }

  /**
   * A creation that a crash ended before anything could be promised: there is nothing of it but the beginning of its metadata. No block is
   * written before the metadata of its stream is on disk.
   */
  get isHalfMade(): boolean {
    const { disk } = this.#ports;
    if (this.#isWritten(this.path)) return false;
    const hasBlock = disk
      .list(this.blocks)
      .some(({ name }) => name.endsWith('.blk') && this.#hasContent(`${this.blocks}/${name}`));
    return !hasBlock && !this.#consumerNames().some((name) => this.#isWritten(this.#consumerPath(name)));
  }

  /**
   * Whether a directory has more of its metadata than a crash leaves of a creation: names without content, or meta.inf alone, which comes
   * first. A checksum may have its temporary name still.
   */
  #isWritten(path: string): boolean {
    const hasSum = ['meta.sum', 'meta.sum.tmp'].some((name) => this.#hasContent(`${path}/${name}`));
    return hasSum && (!this.#ports.disk.exists(`${path}/meta.inf`) || this.#hasContent(`${path}/meta.inf`));
  }

  #hasContent(path: string): boolean {
    const { disk } = this.#ports;
    if (!disk.exists(path)) return false;
    const file = disk.open(path, false);
    const size = disk.size(file);
    disk.close(file);
    return size > 0;
  }

  /** Makes the directory of a new stream; `above` are the directories that get new entries by that. False: there is a stream already. */
  create(meta: string, above: readonly string[]): boolean {
    const { disk } = this.#ports;
    if (!disk.makeDirectory(this.path)) {
      if (!this.isHalfMade) return false;
      disk.removeTree(this.path);
    }
    disk.makeDirectory(this.blocks);
    const seal = this.#sealing();
    seal.create();
    this.#writeMeta({ path: this.path, keyName: this.name, seal, isNew: true }, meta, above);
    return true;
  }

  /** The sealed files of the stream, or of one of its consumers. */
  #seal(consumer?: string): SealedDirectory {
    const { disk, keyring } = this.#ports;
    const { accountName, name } = this;
    const path = consumer === undefined ? this.path : this.#consumerPath(consumer);
    let seal = this.#seals?.get(path);
    if (seal === undefined) {
      seal = new SealedDirectory({
        disk,
        keyring,
        accountName,
        context: consumer === undefined ? name : `${name}.${consumer}`,
        path,
      });
      this.#seals ??= new Map<string, SealedDirectory>();
      if (consumer === undefined || keyring !== undefined) this.#seals.set(path, seal);
    }
    return seal;
  }

  /** Seals what is written for the stream or a consumer. Without a configured key that is plain, and nothing is looked up or remembered. */
  #sealing(consumer?: string): Sealing {
    return this.#ports.keyring === undefined ? plain : this.#seal(consumer);
  }

  #consumerPath(consumer: string): string {
    return `${this.path}/obs/${consumer}`;
  }

  /** The keys of the blocks; undefined: they are plain. */
  blockKeys(): BlockKeys | undefined {
    const { disk, keyring } = this.#ports;
    if (keyring === undefined) return undefined;
    return new BlockKeys({ disk, keyring, accountName: this.accountName, stream: this.name, directory: this.blocks });
  }

  /** Seals under the configured key what is not. True: the stream's own key is a new one. */
  adoptKey(): boolean {
    const { kernel, keyring } = this.#ports;
    if (keyring === undefined) return false;
    const sumOf = (keyName: string) => (metaInf: Uint8Array) => encoder.encode(kernel.sum(keyName, metaInf));
    const isNew = this.#seal().adopt(sumOf(this.name));
    for (const name of this.#consumerNames()) {
      const seal = this.#seal(name);
      if (seal.problem === undefined) seal.adopt(sumOf(`${this.name}/${name}`));
    }
    return isNew;
  }

  /** The plain content of a file that is sealed with the stream's key; undefined: it cannot be opened. */
  unseal(bytes: Uint8Array): Uint8Array | undefined {
    return this.#seal().unseal(bytes);
  }

  #consumerNames(): string[] {
    const entries = this.#ports.disk.list(`${this.path}/obs`);
    return entries.filter(({ directory }) => directory).map(({ name }) => name);
  }

  writeMeta(meta: string): void {
    this.#writeMeta({ path: this.path, keyName: this.name, seal: this.#sealing(), isNew: false }, meta, []);
  }

  // Rounds: see meta-writes.ts

  get #roundWrites(): MetaWrites {
    this.#writes ??= new MetaWrites(this.#ports.disk);
    return this.#writes;
  }

  /** The last change of metadata, and up to which they are on disk. */
  get tickets(): { readonly last: number; readonly durable: number } {
    return this.#writes ?? noTickets;
  }

  get hasUnsynced(): boolean {
    return this.tickets.last > this.tickets.durable;
  }

  takeUnsynced(): OpenFile[] {
    return this.#writes?.takeUnsynced() ?? [];
  }

  synced(file: OpenFile): boolean {
    return this.#writes?.synced(file) === true;
  }

  settled(): boolean {
    return this.#writes?.settled() === true;
  }

  /** After a fault: what was on its way to disk is written once more. */
  writeAgain(): void {
    this.#writes?.again();
  }

  /**
   * In a new directory both files have their names at once: until they are on disk nothing was promised, and what a crash leaves of them is
   * seen. Otherwise both are written before either is renamed, and the content goes first: what a crash leaves between the two renames is a
   * content whose checksum still has its temporary name (`#readMeta` ends that).
   */
  #writeMeta({ path, keyName, seal, isNew }: MetaPlace, meta: string, above: readonly string[]): void {
    const { disk, kernel, metadata } = this.#ports;
    const content = seal.seal(encoder.encode(meta));
    const files = [
      { name: 'meta.inf', content, isNew },
      { name: 'meta.sum', content: encoder.encode(kernel.sum(keyName, content)), isNew },
    ];
    if (metadata === 'in rounds') {
      this.#roundWrites.put(path, files, above);
      return;
    }
    const durable = metadata === 'at once';
    const written = isNew ? '' : '.tmp';
    for (const file of files) disk.writeWhole(`${path}/${file.name}${written}`, file.content, durable);
    if (!isNew) for (const { name } of files) disk.rename(`${path}/${name}.tmp`, `${path}/${name}`);
    if (durable) for (const directory of [path, ...above]) disk.syncDirectory(directory);
  }

  /** The content of meta.inf, or why it is not to be believed. */
  #readMeta(path: string, keyName: string, seal: SealedDirectory): { readonly meta?: string; readonly problem?: string } {
    const { disk, kernel } = this.#ports;
    if (seal.problem !== undefined) return { problem: seal.problem };
    const content = disk.readWhole(`${path}/meta.inf`);
    if (content === undefined) return { problem: 'meta.inf is missing' };
    const expected = kernel.sum(keyName, content);
    const has = (name: string): boolean => decoder.decode(disk.readWhole(`${path}/${name}`) ?? new Uint8Array(0)) === expected;
    if (!has('meta.sum')) {
      if (!has('meta.sum.tmp')) return { problem: 'meta.inf does not have the checksum in meta.sum' };
      disk.rename(`${path}/meta.sum.tmp`, `${path}/meta.sum`);
    }
    const plain = seal.unseal(content);
    return plain === undefined ? { problem: 'meta.inf does not open with meta.key' } : { meta: decoder.decode(plain) };
  }

  /** Reads meta.inf and says what stands against opening the stream. */
  find(): FoundStream {
    const { name, path } = this;
    return { name, ...this.#readMeta(path, name, this.#seal()) };
  }

  readBeside(name: BesideFileName): Uint8Array | undefined {
    return this.#ports.disk.readWhole(`${this.blocks}/${name}`);
  }

  writeBeside(name: BesideFileName, content: Uint8Array): void {
    this.#ports.disk.replace(`${this.blocks}/${name}`, content, false);
  }

  /** One by one: there may be very many. */
  *consumers(): Iterable<FoundConsumer> {
    for (const name of this.#consumerNames()) yield this.#readable(name);
  }

  /** One that the disk does not read costs no other. */
  #readable(name: string): FoundConsumer {
    try {
      return this.#consumer(name);
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      return { name, problem: error.message, isUnread: true };
    }
  }

  #consumer(name: string): FoundConsumer {
    const { disk } = this.#ports;
    const path = this.#consumerPath(name);
    const content = disk.readWhole(`${path}/meta.inf`);
    const seal = this.#unsealing(name, content);
    // As nats-server does: the checksum of a consumer must be there, and is not compared.
    let hasSum = disk.exists(`${path}/meta.sum`);
    if (content !== undefined && !hasSum) {
      this.#readMeta(path, `${this.name}/${name}`, this.#seal(name));
      hasSum = disk.exists(`${path}/meta.sum`);
    }
    if (content === undefined || !hasSum) return { name, problem: 'meta.inf or meta.sum is missing' };
    const meta = seal.unseal(content);
    if (meta === undefined) return { name, problem: seal.problem ?? 'meta.inf does not open with meta.key' };
    const sealed = disk.readWhole(`${path}/o.dat`);
    const bytes = sealed === undefined || sealed.length === 0 ? undefined : seal.unseal(sealed);
    const state = bytes === undefined || bytes.length === 0 ? undefined : decodeConsumerState(bytes);
    const found = { name, meta: decoder.decode(meta) };
    if (state !== undefined) return { ...found, state };
    return sealed === undefined || sealed.length === 0 ? found : { ...found, damagedState: this.#setStateAside(path) };
  }

  /** Gives an o.dat that cannot be read another name, and returns that. */
  #setStateAside(path: string): string {
    const { disk } = this.#ports;
    const kept = freeName(disk, path, 'o.dat.damaged');
    disk.rename(`${path}/o.dat`, `${path}/${kept}`);
    disk.syncDirectory(path);
    return kept;
  }

  /** What opens the files of a consumer. Without a configured key, a meta.inf that is a document is plain, and no key is looked for. */
  #unsealing(consumer: string, metaInf: Uint8Array | undefined): Unsealing {
    const isPlain = metaInf !== undefined && metaInf[0] === OPENING && metaInf.at(-1) === CLOSING;
    return this.#ports.keyring === undefined && isPlain ? plain : this.#seal(consumer);
  }

  writeConsumer(name: string, meta: string): void {
    const path = this.#consumerPath(name);
    const { disk } = this.#ports;
    const isNew = disk.makeDirectory(path);
    // What a crash has left of another one of this name is not its state.
    if (!isNew && this.#writes?.isBusy(path) !== true && !this.#isWritten(path)) disk.remove(`${path}/o.dat`);
    const seal = this.#sealing(name);
    seal.create();
    this.#writeMeta({ path, keyName: `${this.name}/${name}`, seal, isNew }, meta, [`${this.path}/obs`, this.path]);
  }

  /** Metadata goes to disk with the rounds of the stream. */
  get ridesRounds(): boolean {
    return this.#ports.metadata === 'in rounds';
  }

  /** `durable`: it may not be lost any more. True: it is on its way with a round. */
  writeConsumerState(name: string, state: Uint8Array, durable: boolean): boolean {
    const { disk, metadata } = this.#ports;
    const path = this.#consumerPath(name);
    const content = this.#sealing(name).seal(state);
    if (metadata === 'in rounds' && (durable || this.#writes?.isBusy(path) === true)) {
      this.#roundWrites.put(path, [{ name: 'o.dat', content }], []);
      return true;
    }
    disk.replace(`${path}/o.dat`, content, durable && metadata === 'at once');
    return false;
  }

  writeIndex(index: Uint8Array): void {
    const { disk, kernel } = this.#ports;
    disk.replace(`${this.blocks}/${indexName}`, indexFile(kernel, this.name, this.#seal().seal(index)), false);
  }

  archive(jobs: Jobs, blocks: readonly ListedBlock[], description: StreamDescription): StreamArchive {
    return openArchive(this.#ports, jobs, this, blocks, description);
  }

  removeConsumer(name: string): void {
    const path = this.#consumerPath(name);
    const { disk, metadata } = this.#ports;
    this.#seals?.delete(path);
    disk.removeTree(path);
    if (metadata === 'in rounds' && disk.exists(`${this.path}/obs`)) this.#roundWrites.remove(path, `${this.path}/obs`);
  }

  /**
   * Ends a purge that was interrupted between its renames: `__new_msgs__` with a block takes the place of msgs, without one it is dropped;
   * `__msgs__` is what was purged.
   */
  finishPurge(): void {
    const { disk } = this.#ports;
    const fresh = `${this.path}/__new_msgs__`;
    if (disk.exists(fresh)) {
      if (disk.list(fresh).some(({ name }) => name.endsWith('.blk'))) {
        disk.removeTree(this.blocks);
        disk.rename(fresh, this.blocks);
        disk.syncDirectory(this.path);
      } else {
        disk.removeTree(fresh);
      }
    }
    disk.discardTree(purgedPath(this.blocks));
  }

  /** Removes what nats-server staged of batches that were not committed. */
  dropBatches(): void {
    this.#ports.disk.removeTree(`${this.path}/batches`);
  }

  /** Removes the stream, which is on disk when this resolves: what a crash leaves of it is not taken for a stream. Rejects with a DiskFault. */
  async remove(): Promise<void> {
    const { disk, metadata } = this.#ports;
    const parent = this.path.slice(0, this.path.lastIndexOf('/'));
    disk.discard(this.path, `${parent}/${removedName}`);
    if (metadata === 'unsynced') return;
    const directory = disk.openDirectory(parent);
    try {
      await syncAll(disk, [directory]);
    } finally {
      disk.close(directory);
    }
  }
}
