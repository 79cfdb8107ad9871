/**
 * The store against its twin: whatever is appended, deleted, purged, limited and opened again, both answer the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PurgeRequest, Selection, StoreLimits, StreamStore } from '../../../../ts/engine/store/store.ts';
import { effort, holdsInTime } from '../../../oracle/check.ts';
import { NodeDisk } from '../../../../ts/node/disk.ts';
import { PlainStream } from '../../../oracle/stream.ts';
import { noLimits, openTestStore, subjectsOf, synced } from '../../../support/store.ts';
import type { TestStore } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';

type Step =
  | {
      readonly is: 'append';
      readonly subject: string;
      readonly headers: string;
      readonly payload: string;
      readonly long: boolean;
    }
  | { readonly is: 'burst'; readonly count: number; readonly subjects: number; readonly sizes: number }
  | { readonly is: 'delete'; readonly at: number }
  | { readonly is: 'purge'; readonly request: PurgeRequest }
  | { readonly is: 'limit'; readonly limits: StoreLimits }
  | { readonly is: 'sync' }
  | { readonly is: 'reopen' };

const token = fc.constantFrom('a', 'b', 'ab', 'abc', 'a-very-long-token-that-is-longer-than-a-prefix', 'x', 'é');
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const numbered = fc.tuple(subject, fc.integer({ min: 0, max: 300 })).map(([start, n]) => `${start}.${n}`);
const anySubject = fc.oneof(subject, numbered);
const filter = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, full]) => [...tokens, ...(full ? ['>'] : [])].join('.'));
const anyFilter = fc.oneof(filter, anySubject, fc.constant('>'));

const append: fc.Arbitrary<Step> = fc.record({
  is: fc.constant('append' as const),
  subject: anySubject,
  headers: fc.constantFrom('', '', 'NATS/1.0\r\nA: b\r\n\r\n'),
  payload: fc.string({ maxLength: 80 }).map((text) => text.replace(/[^ -~]/g, '.')),
  long: fc.boolean(),
});
/** Enough messages at once that the index packs them; of how many subjects and sizes they are makes how it does. */
const burst: fc.Arbitrary<Step> = fc.record({
  is: fc.constant('burst' as const),
  count: fc.integer({ min: 1, max: 300 }),
  subjects: fc.constantFrom(1, 2, 40, 300),
  sizes: fc.constantFrom(1, 3, 200),
});
const limits: fc.Arbitrary<StoreLimits> = fc.record({
  ...Object.fromEntries(Object.entries(noLimits).map(([key, value]) => [key, fc.constant(value)])),
  maxMessages: fc.constantFrom(-1, -1, 5, 40, 250),
  maxBytes: fc.constantFrom(-1, 60_000),
  maxMessagesPerSubject: fc.constantFrom(-1, 1, 3),
}) as fc.Arbitrary<StoreLimits>;
const steps = fc.array(
  fc.oneof(
    { weight: 30, arbitrary: append },
    { weight: 1, arbitrary: burst },
    { weight: 6, arbitrary: fc.record({ is: fc.constant('delete' as const), at: fc.nat(200) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        is: fc.constant('purge' as const),
        request: fc.oneof(
          fc.record({ filter: anyFilter }),
          fc.record({ seq: fc.nat(400) }),
          fc.record({ keep: fc.integer({ min: 1, max: 30 }) }),
          fc.record({ filter: anyFilter, keep: fc.integer({ min: 1, max: 5 }) }),
          fc.record({ filter: anyFilter, seq: fc.nat(120) }),
        ),
      }),
    },
    { weight: 2, arbitrary: fc.constant<Step>({ is: 'sync' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ is: 'reopen' }) },
  ),
  { maxLength: 150 },
);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function publish(stream: StreamStore, model: PlainStream, subject: string, headers: string, payload: string): void {
  const seq = stream.append({ subject, headers: encoder.encode(headers), payload: encoder.encode(payload) });
  assert.equal(seq, model.append(Buffer.from(subject).toString('latin1'), headers, payload));
}

function act(step: Step, stream: StreamStore, model: PlainStream): void {
  if (step.is === 'append') {
    publish(stream, model, step.subject, step.headers, step.long ? step.payload + 'y'.repeat(9_000) : step.payload);
  } else if (step.is === 'burst') {
    for (let n = 0; n < step.count; n++)
      publish(stream, model, `ab.${(n * 7) % step.subjects}`, '', 'z'.repeat((n * 31) % step.sizes));
  } else if (step.is === 'delete') {
    const seq = Math.max(0, model.last - step.at);
    assert.equal(stream.delete(seq), model.delete(seq), `delete ${seq}`);
  } else if (step.is === 'purge') {
    const { filter: of = '>', ...rest } = step.request;
    const purged = model.purge({ filter: Buffer.from(of).toString('latin1'), ...rest });
    assert.equal(stream.purge(step.request), purged, `purge ${JSON.stringify(step.request)}`);
  }
}

function compare(stream: StreamStore, model: PlainStream, filters: readonly string[]): void {
  const { messages, bytes, firstSeq, lastSeq, numSubjects, numDeleted } = stream.state;
  assert.deepEqual({ messages, bytes, firstSeq, lastSeq, numSubjects, numDeleted }, model.state());
  const middle = Math.floor((model.first + model.last) / 2);
  for (const wide of filters) {
    const narrow = Buffer.from(wide).toString('latin1');
    assert.equal(stream.lastBySubject(wide)?.seq ?? 0, model.lastOn(narrow), `last on ${wide}`);
    for (const from of [0, middle, model.last]) {
      assert.equal(stream.nextBySubject(wide, from)?.seq ?? 0, model.nextOn(narrow, from), `next on ${wide} from ${from}`);
      assert.equal(stream.countPending([wide], from), model.count([narrow], from), `pending on ${wide} from ${from}`);
    }
    const listed = subjectsOf(stream, wide, 1 + (model.last % 5));
    const counts = listed.map(([name, count]) => [Buffer.from(name).toString('latin1'), count] as const);
    const inOrder = Object.entries(model.subjects(narrow)).sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(counts, inOrder, `subjects of ${wide}, ${1 + (model.last % 5)} at a time`);
    for (const [name, count] of listed.slice(0, 3)) assert.equal(stream.countOn(name), count, `messages on ${name}`);
  }
  assert.equal(
    stream.countPending(filters, middle),
    model.count(
      filters.map((of) => Buffer.from(of).toString('latin1')),
      middle,
    ),
  );
  for (const { seq, subject: name, headers, payload } of model.messages) {
    const found = stream.get(seq);
    assert.ok(found, `message ${seq}`);
    assert.equal(Buffer.from(found.subject).toString('latin1'), name);
    assert.equal(decoder.decode(found.headers), headers);
    assert.equal(decoder.decode(found.payload), payload);
  }
}

/** Selections count as the twin does, also when they go on from what they counted before. */
function compareCounts(selections: readonly Selection[], model: PlainStream, from: number): void {
  for (const selection of selections) {
    const narrow = selection.filters.map((of) => Buffer.from(of).toString('latin1'));
    assert.equal(selection.count(from), model.count(narrow, from), `selected by ${narrow.join(' ')} from ${from}`);
  }
}

function select(stream: StreamStore, filters: readonly string[]): Selection[] {
  return [...filters.map((of) => [of]), filters].map((of) => stream.select(of));
}

async function reopen(
  server: TestStore,
  root: string,
  model: PlainStream,
  indexBytes: number,
): Promise<[TestStore, StreamStore]> {
  await server.stop();
  const next = openTestStore(root, new NodeDisk(), 0, { indexBytes });
  model.reopened();
  return [next, await next.store.recover(next.options('S', { limits: model.limits }))];
}

for (const indexBytes of [1, 64 << 20])
  test(`a stream holds what its twin holds, with ${indexBytes} bytes for the index`, async () => {
    await holdsInTime(
      fc.asyncProperty(steps, limits, fc.array(anyFilter, { minLength: 1, maxLength: 4 }), async (todo, limit, filters) => {
        const root = temporaryFolder();
        let server = openTestStore(root, new NodeDisk(), 0, { indexBytes });
        const model = new PlainStream(limit);
        let stream = server.store.create(server.options('S', { limits: limit }), '{}');
        let selections = select(stream, filters);
        try {
          for (const [index, step] of todo.entries()) {
            if (step.is === 'sync') await synced(stream);
            else if (step.is === 'reopen') {
              for (const selection of selections) selection.close();
              [server, stream] = await reopen(server, root, model, indexBytes);
              selections = select(stream, filters);
            } else server.turn(() => act(step, stream, model));
            if (index % 3 > 0) compareCounts(selections, model, Math.max(0, model.last - ((index * 7) % 40)));
          }
          for (const selection of selections) selection.close();
          compare(stream, model, filters);
          await synced(stream);
          compare(stream, model, filters);
          [server, stream] = await reopen(server, root, model, indexBytes);
          compare(stream, model, filters);
        } finally {
          await server.stop();
          removeFolder(root);
        }
      }),
      effort(60),
    );
  });
