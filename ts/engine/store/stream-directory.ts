// The directory of one stream beside its blocks: meta.inf and meta.sum, the consumers under obs/, and what a purge of nats-server that was
// interrupted has left. Nothing that cannot be read is ever removed here.

import { decodeConsumerState, encodeConsumerState } from '../../core/consumer/o-dat.ts';
import type { StreamKernel } from '../../kernel/streams.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import { openArchive, type ArchivedBlock, type StreamDescription } from './archive.ts';
import type { ConsumerState, FoundConsumer, FoundStream, StreamArchive } from './store.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface DirectoryPorts {
  readonly disk: Disk;
  readonly kernel: StreamKernel;
  readonly clock: Clock;
  /** Metadata is synced when it is written. */
  readonly durable: boolean;
}

/** Where an account's streams are. */
export function streamsPath(root: string, accountName: string): string {
  return `${root}/${accountName}/streams`;
}

export class StreamDirectory {
  readonly path: string;
  readonly name: string;
  readonly #ports: DirectoryPorts;

  constructor(ports: DirectoryPorts, path: string, name: string) {
    this.#ports = ports;
    this.path = path;
    this.name = name;
  }

  get blocks(): string {
    return `${this.path}/msgs`;
  }

  create(): void {
    const { disk } = this.#ports;
    disk.makeDirectory(this.blocks);
    disk.makeDirectory(`${this.path}/obs`);
  }

  writeMeta(meta: string): void {
    this.#writeMeta(this.path, this.name, meta);
  }

  /**
   * Both files are written before either is renamed, and the content goes first: what a crash leaves between the two renames is a
   * content whose checksum still has its temporary name (`#readMeta` ends that).
   */
  #writeMeta(path: string, keyName: string, meta: string): void {
    const { disk, kernel, durable } = this.#ports;
    const content = encoder.encode(meta);
    disk.writeWhole(`${path}/meta.inf.tmp`, content, durable);
    disk.writeWhole(`${path}/meta.sum.tmp`, encoder.encode(kernel.sum(keyName, content)), durable);
    disk.rename(`${path}/meta.inf.tmp`, `${path}/meta.inf`);
    disk.rename(`${path}/meta.sum.tmp`, `${path}/meta.sum`);
    if (durable) disk.syncDirectory(path);
  }

  /** The content of meta.inf, or why it is not to be believed. */
  #readMeta(path: string, keyName: string): { readonly meta?: string; readonly problem?: string } {
    const { disk, kernel } = this.#ports;
    const content = disk.readWhole(`${path}/meta.inf`);
    if (content === undefined) return { problem: 'meta.inf is missing' };
    const expected = kernel.sum(keyName, content);
    const has = (name: string): boolean => decoder.decode(disk.readWhole(`${path}/${name}`) ?? new Uint8Array(0)) === expected;
    if (!has('meta.sum')) {
      if (!has('meta.sum.tmp')) return { problem: 'meta.inf does not have the checksum in meta.sum' };
      disk.rename(`${path}/meta.sum.tmp`, `${path}/meta.sum`);
    }
    return { meta: decoder.decode(content) };
  }

  /** Reads meta.inf and says what stands against opening the stream. */
  find(): FoundStream {
    const { name, path } = this;
    const encrypted = this.#ports.disk.exists(`${path}/meta.key`);
    if (encrypted) return { name, problem: 'the stream is encrypted, which this server cannot read yet' };
    return { name, ...this.#readMeta(path, name) };
  }

  consumers(): FoundConsumer[] {
    const { disk } = this.#ports;
    const found: FoundConsumer[] = [];
    for (const { name, directory } of disk.list(`${this.path}/obs`)) {
      if (!directory) continue;
      const path = `${this.path}/obs/${name}`;
      const content = disk.readWhole(`${path}/meta.inf`);
      // As nats-server does: the checksum of a consumer must be there, and is not compared.
      if (content !== undefined && !disk.exists(`${path}/meta.sum`)) this.#readMeta(path, `${this.name}/${name}`);
      if (content === undefined || !disk.exists(`${path}/meta.sum`)) {
        found.push({ name, problem: 'meta.inf or meta.sum is missing' });
        continue;
      }
      const bytes = disk.readWhole(`${path}/o.dat`);
      const state = bytes === undefined || bytes.length === 0 ? undefined : decodeConsumerState(bytes);
      found.push({ name, meta: decoder.decode(content), ...(state === undefined ? {} : { state }) });
    }
    return found;
  }

  writeConsumer(name: string, meta: string): void {
    const path = `${this.path}/obs/${name}`;
    const { disk, durable } = this.#ports;
    disk.makeDirectory(path);
    this.#writeMeta(path, `${this.name}/${name}`, meta);
    if (durable) disk.syncDirectory(`${this.path}/obs`);
  }

  writeConsumerState(name: string, state: ConsumerState): void {
    const { disk, clock } = this.#ports;
    disk.replace(`${this.path}/obs/${name}/o.dat`, encodeConsumerState(state, clock.wallInstant().seconds), false);
  }

  archive(blocks: readonly ArchivedBlock[], description: StreamDescription): StreamArchive {
    return openArchive(this.#ports, this, blocks, description);
  }

  removeConsumer(name: string): void {
    this.#ports.disk.removeTree(`${this.path}/obs/${name}`);
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
    disk.removeTree(`${this.path}/__msgs__`);
  }

  /** Removes the stream: renamed first, so that what a crash leaves is not taken for a stream. */
  remove(): void {
    const { disk } = this.#ports;
    const parent = this.path.slice(0, this.path.lastIndexOf('/'));
    const doomed = `${parent}/.${this.name}`;
    disk.removeTree(doomed);
    disk.rename(this.path, doomed);
    disk.syncDirectory(parent);
    disk.removeTree(doomed);
  }
}
