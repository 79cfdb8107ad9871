// What one server hands to the next with a stream directory: the index.db of nats-server, taken at the start, left at a clean stop.

import type { StreamIndex } from '../../core/stream-index/index-db.ts';
import { DiskFault } from '../../ports/disk.ts';
import type { FileStreamParts } from './file-stream-parts.ts';
import { buryGhosts, instantOfIndex, makeIndex } from './index-db.ts';

type Parts = Pick<FileStreamParts, 'handle' | 'streams' | 'files' | 'reader' | 'directory' | 'log'>;

/**
 * Takes from an index what blocks cannot say: which messages are gone, and how far sequences had been given out. Both are staged as tombstones.
 * Returns the last sequence.
 */
export function takeOver({ handle, streams, files, log }: Parts, name: string, index: StreamIndex): number {
  const buried = buryGhosts(streams, handle, index, files);
  if (buried > 0) log.info(`Stream '${name}': ${buried} messages that limits had removed stay removed`);
  const last = streams.exports.lastSequence(handle);
  if (index.lastSeq <= last) return last;
  const { seconds, nanos } = instantOfIndex(index.lastTime);
  streams.exports.raiseStream(handle, index.lastSeq, seconds, nanos);
  return index.lastSeq;
}

/** Leaves an index, so that nats-server starts without reading the blocks. */
export function leaveIndex({ handle, streams, files, reader, directory, log }: Parts, name: string): void {
  if (files.isDescribed) return;
  try {
    const index = makeIndex({ kernel: streams, handle, files, timeOf: (seq) => reader.time(seq), timed: true });
    if (index !== undefined && streams.exports.indexLost(handle) === 0) directory.writeIndex(index);
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    log.warn(`Stream '${name}' leaves no index: ${error.message}`);
  }
}
