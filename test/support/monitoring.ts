/** Reads the monitoring endpoints of a server under test, and awaits that a document meets a condition. */
import { setTimeout as delay } from 'node:timers/promises';
import { patienceMs } from './patience.ts';
import type { ServerProcess } from './server.ts';

export type MonitoringDocument = Record<string, unknown>;

export async function monitoring(server: ServerProcess, path: string): Promise<MonitoringDocument> {
  const response = await fetch(`http://127.0.0.1:${server.portOf('monitoring')}${path}`, { headers: { connection: 'close' } });
  if (response.status !== 200) throw new Error(`${path}: HTTP ${response.status}`);
  return (await response.json()) as MonitoringDocument;
}

/** Asks until the condition holds; fails with the last document. */
export async function awaitMonitoring(
  server: ServerProcess,
  path: string,
  holds: (document: MonitoringDocument) => boolean,
  withinMs = patienceMs,
): Promise<MonitoringDocument> {
  for (const end = Date.now() + withinMs; ; await delay(20)) {
    const document = await monitoring(server, path);
    if (holds(document)) return document;
    if (Date.now() > end)
      throw new Error(`${path} did not come to the wanted state in ${withinMs} ms:\n${JSON.stringify(document, null, 1)}`);
  }
}
