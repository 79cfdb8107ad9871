// A stream's subject_transform from the client's publish to what is stored, through the whole server.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { startServer } from '../../../ts/app/index.ts';

it('a stream stores publishes under the subject of its transform, and others as they came', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'slipstream-transform-'));
  const server = await startServer(['-js', '-sd', directory]);
  const client = await connect({ servers: server.url });
  const { streams } = await jetstreamManager(client);
  await streams.add({
    name: 'T',
    subjects: ['in.>', 'plain'],
    subject_transform: { src: 'in.*', dest: 'out.{{wildcard(1)}}' },
  });
  const js = jetstream(client);
  assert.equal((await js.publish('in.a', 'one')).seq, 1);
  assert.equal((await js.publish('plain', 'two')).seq, 2);
  await js.publish('in.b', 'three', { expect: { lastSubjectSequence: 0 } });
  const subjects = [];
  for (const seq of [1, 2, 3]) subjects.push((await streams.getMessage('T', { seq }))?.subject);
  assert.deepEqual(subjects, ['out.a', 'plain', 'out.b']);
  await client.close();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});
