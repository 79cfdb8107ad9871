/**
 * Records flows: `node --import tsx test/conformance/flows/record.ts FILE...` plays each file's steps on the real nats-server and writes
 * the file anew with what was heard. Only here does anything wait for silence.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { FlowPlayer, formatFlow, parseFlow, type Step } from '../../support/flow.ts';
import { flowServer, restarted } from '../../support/flow-server.ts';

for (const path of process.argv.slice(2)) {
  const steps = parseFlow(readFileSync(path, 'utf8'));
  const player = new FlowPlayer(await flowServer('nats-server'), restarted);
  const recorded: Step[] = [];
  try {
    for (const { line } of steps) recorded.push({ line, heard: line.startsWith('#') ? [] : await player.play(line) });
    await player.end();
  } finally {
    await player.server.kill();
  }
  writeFileSync(path, formatFlow(recorded));
}
