// What a thread of the jobs pool runs. It gets the compiled kernel once and keeps one scanner; results lie in shared memory.
// The threads that compare passwords run this file too, by another name in it.

import { workerData } from 'node:worker_threads';
import type { ScanResult, ScanTask } from '../ports/jobs.ts';
import { BlockScanner } from './block-scanner.ts';

export { rewriteFile } from './block-rewriter.ts';

/** What the pool hands to its threads. */
export interface JobsWorkerData {
  readonly module: WebAssembly.Module;
}

let scanner: BlockScanner | undefined;

export default function scan(task: ScanTask): ScanResult {
  // The pool wraps the data it was given: [its own, ours].
  const given = (Array.isArray(workerData) ? workerData.at(-1) : workerData) as JobsWorkerData;
  scanner ??= new BlockScanner(given.module);
  return scanner.scan(task);
}

export { compareHere as compareBcrypt } from './bcrypt.ts';
