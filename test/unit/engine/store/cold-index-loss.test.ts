/**
 * Whichever read of the index fails, in whatever is done to a stream: the process lives, nothing deleted comes back, nothing stored is lost, and in the
 * end the stream is what it would have been.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreLimits, StreamStore } from '../../../../ts/engine/store/store.ts';
import { NodeDisk } from '../../../../ts/node/disk.ts';
import { DiskFault, type OpenFile } from '../../../../ts/ports/disk.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';

/** One read of the index fails: the n-th. */
class OnceBadDisk extends NodeDisk {
  reads = 0;
  readonly #fails: number;

  constructor(fails: number) {
    super();
    this.#fails = fails;
  }

  override read(file: OpenFile, into: Uint8Array, offset: number): number {
    if (file.path.endsWith('.index') && ++this.reads === this.#fails) throw new DiskFault('EIO', file.path, 'i/o error');
    return super.read(file, into, offset);
  }
}

const encoder = new TextEncoder();
const MESSAGES = 20_000;
const AT_ONCE = 4_000;
const limits: StoreLimits = { ...noLimits, maxBytes: 4_000_000 };
const subjectOf = (seq: number): string => `s.${(seq * 17) % 90}.${seq % 3}`;

class Side {
  readonly #server: TestStore;
  readonly #stream: StreamStore;

  constructor(server: TestStore, stream: StreamStore) {
    this.#server = server;
    this.#stream = stream;
  }

  /** Does something until the stream takes it: it makes its index anew in between. */
  async do(work: (stream: StreamStore) => void): Promise<void> {
    for (;;) {
      await until(() => this.#stream.fault === undefined);
      try {
        this.#server.turn(() => work(this.#stream));
        await synced(this.#stream);
        return;
      } catch (error) {
        assert.match(String(error), /index is lost/);
      }
    }
  }

  async publish(upTo: number): Promise<void> {
    for (let next = AT_ONCE; next <= upTo; next += AT_ONCE)
      await this.do((stream) => {
        for (let seq = stream.state.lastSeq + 1; seq <= next; seq++)
          stream.append({ subject: subjectOf(seq), payload: encoder.encode(`${seq}:${'d'.repeat((seq * 31) % 500)}`) });
      });
  }

  async life(): Promise<void> {
    await this.publish(MESSAGES);
    await this.do((stream) => {
      for (let n = 0; n < 900; n++) stream.delete((n * 7_151) % MESSAGES);
    });
    await this.do((stream) => stream.setLimits(noLimits));
    await this.do((stream) => void stream.purge({ filter: 's.51.*' }));
    await this.do((stream) => void stream.purge({ filter: 's.*.2', keep: 3_000 }));
    await this.do((stream) => stream.setLimits({ ...limits, maxMessagesPerSubject: 60 }));
    await this.publish(MESSAGES + 2 * AT_ONCE);
    await this.do((stream) => stream.setLimits({ ...noLimits, maxMessages: 9_000 }));
    await this.do((stream) => void stream.purge({ seq: MESSAGES - 300 }));
  }

  content(): string[] {
    const { state } = this.#stream;
    const { messages, firstSeq, lastSeq, numSubjects } = state;
    const found = [JSON.stringify({ messages, firstSeq, lastSeq, numSubjects })];
    for (let seq = 1; seq <= lastSeq; seq++) {
      const message = this.#stream.get(seq);
      if (message !== undefined) found.push(`${seq} ${message.subject} ${Buffer.from(message.payload).toString()}`);
    }
    return found;
  }

  async settled(): Promise<string[]> {
    let content: string[] = [];
    await this.do(() => (content = this.content()));
    return content;
  }
}

/** What a stream is after its life, and after a restart behind that. */
async function lived(disk: NodeDisk, indexBytes: number): Promise<{ content: string[]; after: string[] }> {
  const root = temporaryFolder();
  const server = openTestStore(root, disk, 0, { indexBytes });
  const side = new Side(server, server.store.create(server.options('S', { limits }), '{}'));
  await side.life();
  const content = await side.settled();
  await server.stop();
  const again = openTestStore(root);
  const options = again.options('S', { limits: { ...noLimits, maxMessages: 9_000 } });
  const after = new Side(again, await again.store.recover(options)).content();
  await again.stop();
  removeFolder(root);
  return { content, after };
}

test('whichever read of the index fails, the stream is in the end what it would have been', async () => {
  const expected = await lived(new NodeDisk(), 64 << 20);
  const counting = new OnceBadDisk(Infinity);
  assert.deepEqual(await lived(counting, 1), expected);
  assert.ok(counting.reads > 200, `${counting.reads} reads`);
  const rounds = Number(process.env['LOSSES'] ?? 12);
  for (let n = 0; n < rounds; n++) {
    const fails = 1 + Math.floor(((n + Math.random()) * counting.reads) / rounds);
    const disk = new OnceBadDisk(fails);
    assert.deepEqual(await lived(disk, 1), expected, `read ${fails} of ${counting.reads} fails`);
    assert.ok(disk.reads >= fails, 'it failed');
  }
});
