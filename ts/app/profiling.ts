// The profiler's listener, where `prof_port` asks for one: on the host of the clients, as nats-server has it.

import { setTimeout as delay } from 'node:timers/promises';
import type { Options } from '../core/config/options.ts';
import { listenHttp } from '../node/http.ts';
import { createProfiler } from '../node/profiler.ts';
import type { Log } from '../ports/log.ts';
import { shownArguments } from './command-line.ts';
import { messageOf } from '../lib/message-of.ts';

/** Rejects with one clear line. It ends with the process. */
export async function openProfiler({ host, profPort, profBlockRate }: Options, log: Log): Promise<void> {
  if (profPort === 0) return;
  const wait = (seconds: number): Promise<void> => delay(seconds * 1_000, undefined, { ref: false });
  try {
    const { port } = await listenHttp({
      ...{ host, port: profPort },
      handler: createProfiler({ commandLine: shownArguments(), wait }),
      onProblem: (problem) => log.error(problem),
    });
    log.info(`profiling port: ${port}`);
  } catch (error) {
    throw new Error(`error starting profiler: ${messageOf(error)}`, { cause: error });
  }
  if (profBlockRate > 0) log.warn('prof_block_rate has no effect: there are no locks here that a profile could show waits for');
}
