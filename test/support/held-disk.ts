/** The real disk, its syncs and its faults in the hands of a test. */
import { NodeDisk } from '../../ts/node/disk.ts';
import { DiskFault } from '../../ts/ports/disk.ts';
import type { OpenFile, SyncFailure } from '../../ts/ports/disk.ts';

/** A disk whose syncs wait to be let through, and whose writes and syncs can be made to fail. */
export class HeldDisk extends NodeDisk {
  readonly held: (() => void)[] = [];
  holding = false;
  failSync = false;
  onSync: (files: readonly OpenFile[]) => void = () => {};
  failWrite: 'ENOSPC' | 'SHORT' | undefined;
  /** Only what is done to these paths fails. */
  failsAt = /./;
  /** Reads that touch this byte of a file fail. */
  badByte: number | undefined;
  rounds = 0;

  override sync(files: readonly OpenFile[], done: (failures: readonly SyncFailure[]) => void): void {
    this.rounds++;
    this.onSync(files);
    const run = (): void => {
      const failing = files.filter(({ path }) => this.failSync && this.failsAt.test(path));
      if (failing.length === 0) return super.sync(files, done);
      const failures = failing.map((file) => ({ file, fault: new DiskFault('EIO', file.path, `${file.path}: i/o error`) }));
      setImmediate(() => done(failures));
    };
    if (this.holding) this.held.push(run);
    else run();
  }

  release(): void {
    this.holding = false;
    for (const run of this.held.splice(0)) run();
  }

  override read(file: OpenFile, into: Uint8Array, offset: number): number {
    const { badByte } = this;
    if (badByte !== undefined && offset <= badByte && badByte < offset + into.length)
      throw new DiskFault('EIO', file.path, `${file.path}: i/o error`);
    return super.read(file, into, offset);
  }

  override writeWhole(path: string, content: Uint8Array, durable: boolean): void {
    if (this.failWrite !== undefined && this.failsAt.test(path))
      throw new DiskFault(this.failWrite, path, `${path}: no space left`);
    super.writeWhole(path, content, durable);
  }

  override write(file: OpenFile, views: readonly Uint8Array[], offset: number): void {
    if (this.failWrite === undefined || !this.failsAt.test(file.path)) return super.write(file, views, offset);
    if (this.failWrite === 'SHORT') super.write(file, [Buffer.concat(views).subarray(0, 7)], offset);
    throw new DiskFault(this.failWrite, file.path, `${file.path}: no space left`);
  }

  override writeApart(file: OpenFile, bytes: Uint8Array, offset: number, done: (fault: DiskFault | undefined) => void): void {
    if (this.failWrite === undefined || !this.failsAt.test(file.path)) return super.writeApart(file, bytes, offset, done);
    done(new DiskFault(this.failWrite, file.path, `${file.path}: no space left`));
  }
}
