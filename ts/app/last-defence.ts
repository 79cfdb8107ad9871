// What the process does with errors that nobody caught. A mistake in one timer or promise must not end every connection, so it is logged and
// the server goes on; when the kernel itself has stopped, its memory cannot be trusted and the process ends, for whoever watches over it to
// start anew. What was acknowledged is on disk.

import type { ServerLog } from '../node/log.ts';

function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

export function standGuard(log: ServerLog): void {
  process.on('uncaughtException', (error) => {
    if (!(error instanceof WebAssembly.RuntimeError)) return log.error(`Internal error: ${described(error)}`);
    log.fatal(`The kernel stopped: ${described(error)}`);
    log.flush();
    process.exit(1);
  });
  process.on('unhandledRejection', (error) => {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    log.error(`Internal error: ${described(error)}`);
  });
}
