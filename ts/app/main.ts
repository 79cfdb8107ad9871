// The program: command line in, exit code out.

import type { Options } from '../core/config/options.ts';
import { pendingText } from '../core/config/unbuilt.ts';
import { NodeClock } from '../node/clock.ts';
import { compileLaterInCrowds } from '../node/compiler.ts';
import { writePidFile } from '../node/files.ts';
import { openLogOrSyslog } from '../node/log.ts';
import type { ServerLog } from '../node/log.ts';
import { sizePool } from '../node/pool-size.ts';
import { sendSignal } from '../node/send-signal.ts';
import { keepYoungGenerationSmall } from '../node/young-generation.ts';
import { logBanner } from '../ops/banner.ts';
import { PROGRAM, hideSecrets, loadFromProcess, startedAs } from './command-line.ts';
import { standGuard } from './last-defence.ts';
import { openMonitoring } from './monitoring.ts';
import { openProfiler } from './profiling.ts';
import { ProcessLife } from './process-life.ts';
import { buildServer, plainListeners } from './server.ts';
import { traceToLog } from './trace.ts';
import { messageOf } from '../lib/message-of.ts';

/** Ends with one line on stderr. */
function refuse(text: string): never {
  process.stderr.write(`${PROGRAM}: ${text}\n`);
  process.exit(1);
}

async function logFor(options: Options): Promise<ServerLog> {
  try {
    return await openLogOrSyslog(options, startedAs());
  } catch (error) {
    return refuse(messageOf(error));
  }
}

async function serve(options: Options, warnings: readonly string[], pending: readonly string[]): Promise<void> {
  const log = await logFor(options);
  standGuard(log);
  try {
    const server = buildServer(options, log, compileLaterInCrowds(plainListeners, new NodeClock()));
    const { identity } = server;
    logBanner(log, { ...identity, id: identity.serverId, name: identity.serverName, runtime: identity.go }, options);
    for (const warning of warnings) log.warn(warning);
    for (const feature of pending) log.warn(pendingText(feature));
    traceToLog(server, log);
    if (options.pidFile !== '') writePidFile(options.pidFile);
    await openProfiler(options, log);
    const monitoring = await openMonitoring(options, server, log);
    await server.open();
    new ProcessLife(server, log, monitoring).begin(options);
  } catch (error) {
    log.fatal(messageOf(error));
    log.flush();
    process.exit(1);
  }
}

sizePool();
keepYoungGenerationSmall();
hideSecrets();
const loaded = loadFromProcess();
if (loaded.action === 'run') void serve(loaded.options, loaded.warnings, loaded.pendingFeatures);
else if (loaded.action === 'signal') {
  try {
    sendSignal(loaded.request);
  } catch (error) {
    refuse(messageOf(error));
  }
} else {
  process.stderr.write(loaded.stderr);
  process.stdout.write(loaded.stdout);
  process.exitCode = loaded.exitCode;
}
