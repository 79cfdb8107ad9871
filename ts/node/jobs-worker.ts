// What a thread of the jobs pool runs. It gets the compiled kernel once and keeps one instance of it; results lie in shared memory.
// The threads that compare passwords run this file too, by another name in it.

import { workerData } from 'node:worker_threads';
import type { ArchiveResult, PackTask, ScanResult, ScanTask, UnpackTask } from '../ports/jobs.ts';
import { ArchiveCodec } from './archive-codec.ts';
import { BlockScanner } from './block-scanner.ts';
import { JobsKernel } from './jobs-kernel.ts';

export { rewriteFile } from './block-rewriter.ts';

/** What the pool hands to its threads. */
export interface JobsWorkerData {
  readonly module: WebAssembly.Module;
}

let kernel: JobsKernel | undefined;
let scanner: BlockScanner | undefined;
let codec: ArchiveCodec | undefined;

function kernelHere(): JobsKernel {
  // The pool wraps the data it was given: [its own, ours].
  const given = (Array.isArray(workerData) ? workerData.at(-1) : workerData) as JobsWorkerData;
  return (kernel ??= new JobsKernel(given.module));
}

export default function scan(task: ScanTask): ScanResult {
  scanner ??= new BlockScanner(kernelHere());
  return scanner.scan(task);
}

export function packArchive(task: PackTask): ArchiveResult {
  codec ??= new ArchiveCodec(kernelHere());
  return codec.pack(task);
}

export function unpackArchive(task: UnpackTask): ArchiveResult {
  codec ??= new ArchiveCodec(kernelHere());
  return codec.unpack(task);
}

export { compareHere as compareBcrypt } from './bcrypt.ts';
