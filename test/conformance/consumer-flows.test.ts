/**
 * Flows recorded on nats-server 2.14.5 (test/conformance/flows): consumers over sockets, message by message. Slipstream must answer with the
 * same subjects, headers and payloads in the same order.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { byListener, FlowPlayer, parseFlow } from '../support/flow.ts';
import { flowServer, restarted } from '../support/flow-server.ts';

const folder = new URL('./flows/', import.meta.url);
const chosen = process.env['FLOWS'];

for (const name of readdirSync(folder)) {
  if (!name.endsWith('.flow') || (chosen !== undefined && !name.includes(chosen))) continue;
  test(`the flow ${name.slice(0, -'.flow'.length).replaceAll('-', ' ')} goes as on nats-server`, async () => {
    const steps = parseFlow(readFileSync(new URL(name, folder), 'utf8'));
    const player = new FlowPlayer(await flowServer('slipstream'), restarted);
    try {
      for (const [index, { line, heard }] of steps.entries()) {
        if (line.startsWith('#')) continue;
        const came = await player.play(line, heard);
        assert.deepEqual(byListener(came), byListener(heard), `step ${index + 1}: ${line}`);
      }
      await player.end();
    } finally {
      await player.server.kill();
    }
  });
}
