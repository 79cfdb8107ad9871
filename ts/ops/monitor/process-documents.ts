// /debug/vars and /stacksz: the process from inside. Their contents are the runtime's own, so only the outer shape is promised.

import type { ProcessPort } from '../../ports/process.ts';
import type { Document } from './context.ts';

export function debugVars(process: ProcessPort): Document {
  const facts = process.facts();
  return {
    cmdline: facts.commandLine,
    memstats: {
      Sys: facts.memoryBytes,
      HeapAlloc: facts.heapUsedBytes,
      HeapSys: facts.heapTotalBytes,
      External: facts.externalBytes,
    },
  };
}

export function stacksz(process: ProcessPort): string {
  const facts = process.facts();
  const waiting = facts.activeResources.map((resource) => `  waiting on ${resource}`);
  return [`event loop of process ${facts.pid}:`, ...waiting, ''].join('\n');
}
