// The directory of one stream beside its blocks: meta.inf and meta.sum, the consumers under obs/, and what a purge of nats-server that was
// interrupted has left. Nothing that cannot be read is ever removed here.

import { decodeConsumerState, encodeConsumerState } from '../../core/consumer/o-dat.ts';
import type { StreamKernel } from '../../kernel/streams.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import type { ConsumerState, FoundConsumer, FoundStream } from './store.ts';

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

  #writeMeta(path: string, keyName: string, meta: string): void {
    const { disk, kernel, durable } = this.#ports;
    const content = encoder.encode(meta);
    disk.replace(`${path}/meta.inf`, content, durable);
    disk.replace(`${path}/meta.sum`, encoder.encode(kernel.sum(keyName, content)), durable);
  }

  /** Reads meta.inf and says what stands against opening the stream. */
  find(): FoundStream {
    const { disk, kernel } = this.#ports;
    const { name, path } = this;
    if (disk.exists(`${path}/meta.key`)) return { name, problem: 'the stream is encrypted, which this server cannot read yet' };
    const content = disk.readWhole(`${path}/meta.inf`);
    const sum = disk.readWhole(`${path}/meta.sum`);
    if (content === undefined || sum === undefined) return { name, problem: 'meta.inf or meta.sum is missing' };
    if (decoder.decode(sum) !== kernel.sum(name, content))
      return { name, problem: 'meta.inf does not have the checksum in meta.sum' };
    return { name, meta: decoder.decode(content) };
  }

  consumers(): FoundConsumer[] {
    const { disk } = this.#ports;
    const found: FoundConsumer[] = [];
    for (const { name, directory } of disk.list(`${this.path}/obs`)) {
      if (!directory) continue;
      const path = `${this.path}/obs/${name}`;
      const content = disk.readWhole(`${path}/meta.inf`);
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
    this.#ports.disk.makeDirectory(path);
    this.#writeMeta(path, `${this.name}/${name}`, meta);
  }

  writeConsumerState(name: string, state: ConsumerState): void {
    const { disk, clock } = this.#ports;
    disk.replace(`${this.path}/obs/${name}/o.dat`, encodeConsumerState(state, clock.wallInstant().seconds), false);
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
