// A reload asked for by signal or by the system account: the same command line and file are read again, what changed is checked against what may change, and all of
// it or nothing is taken.

import { planReload, reloadLines } from '../core/reload/plan-reload.ts';
import type { Server } from '../engine/server/server.ts';
import type { ServerLog } from '../node/log.ts';
import { PROGRAM, loadFromProcess } from './command-line.ts';
import { messageOf } from '../lib/message-of.ts';

/** Answers why nothing was taken; the log says so too. */
export function reloadFromProcess(server: Server, log: ServerLog): string | undefined {
  const refuse = (text: string): string => {
    log.error(`Failed to reload server configuration: ${text}`);
    return text;
  };
  if (server.options.configFile === '') return refuse('no configuration file was given at start');
  const loaded = loadFromProcess();
  if (loaded.action === 'failed') return refuse(loaded.stderr.trim().replace(`${PROGRAM}: `, ''));
  if (loaded.action !== 'run') return refuse('the command line asks for something else');
  const plan = planReload(server.configured, loaded.options);
  if (plan.errors.length > 0) return refuse(plan.errors.join('; '));
  for (const warning of loaded.warnings) log.warn(warning);
  try {
    log.apply(loaded.options);
    server.reload(loaded.options);
  } catch (error) {
    return refuse(messageOf(error));
  }
  for (const line of reloadLines(plan, loaded.options)) log.info(line);
  return undefined;
}
