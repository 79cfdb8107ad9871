// A log that nobody reads: for servers embedded in programs that want none.

import type { Log } from '../ports/log.ts';

const nothing = (): void => {};

export const silentLog: Log = {
  debugOn: false,
  traceOn: false,
  fatal: nothing,
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  trace: nothing,
};
