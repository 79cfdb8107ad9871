/**
 * A mirror and a stream with two sources against a plain model: whatever is published, deleted, purged, held back by the disk and restarted, both
 * have every message that their origins have shown, once, in order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseHeaders } from '../../../../ts/core/jetstream/headers.ts';
import { effort, holdsInTime } from '../../../oracle/check.ts';
import type { FakeStream } from './fakes.ts';
import { apiSession, type ApiSession } from './session.ts';

type Origin = 'O' | 'P';
type Step =
  | { readonly is: 'publish'; readonly to: Origin; readonly token: string }
  | { readonly is: 'delete'; readonly to: Origin; readonly back: number }
  | { readonly is: 'purge'; readonly to: 'O' | 'M' | 'S' }
  | { readonly is: 'hold' | 'release'; readonly to: Origin }
  | { readonly is: 'recreate'; readonly to: 'P' }
  | { readonly is: 'restart' };

const to = fc.constantFrom<Origin>('O', 'P');
const steps = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ is: fc.constant('publish' as const), to, token: fc.constantFrom('a', 'b', 'c') }) },
    { weight: 4, arbitrary: fc.record({ is: fc.constant('delete' as const), to, back: fc.nat(6) }) },
    { weight: 1, arbitrary: fc.record({ is: fc.constant('purge' as const), to: fc.constantFrom('O', 'M', 'S') }) },
    { weight: 3, arbitrary: fc.record({ is: fc.constantFrom('hold' as const, 'release' as const), to }) },
    { weight: 1, arbitrary: fc.record({ is: fc.constant('recreate' as const), to: fc.constant('P' as const) }) },
    { weight: 2, arbitrary: fc.constant<Step>({ is: 'restart' }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 80 },
);

interface Message {
  readonly seq: number;
  readonly subject: string;
  readonly payload: string;
}

/** What an origin has, what of it was shown, and what has come of that. */
class Model {
  readonly origins = { O: [] as Message[], P: [] as Message[] };
  readonly last = { O: 0, P: 0 };
  readonly shown = { O: 0, P: 0 };
  readonly held = { O: false, P: false };
  mirror: Message[] = [];
  sourced: string[] = [];

  /** The disk has everything of an origin: mirror and sources have it too. */
  sync(name: Origin): void {
    for (const { seq, subject, payload } of this.origins[name]) {
      if (seq <= this.shown[name]) continue;
      if (name === 'O') {
        this.mirror.push({ seq, subject, payload });
        if (subject === 'o.a') this.sourced.push(`O ${seq} o.a x.a o.a|x.a|${payload}`);
      } else this.sourced.push(`P ${seq} > > ${subject}|${subject}|${payload}`);
    }
    this.shown[name] = this.last[name];
  }
}

const decoder = new TextDecoder();
const filters = { O: 'o.>', P: 'p.>' };

async function ask(session: ApiSession, subject: string, body?: object): Promise<Record<string, unknown>> {
  const { text = '{}' } = await session.request(`$JS.API.${subject}`, body === undefined ? '' : JSON.stringify(body));
  return JSON.parse(text) as Record<string, unknown>;
}

function createOrigin(session: ApiSession, name: Origin): Promise<unknown> {
  return ask(session, `STREAM.CREATE.${name}`, { name, subjects: [filters[name]] });
}

function stored(session: ApiSession, name: string): FakeStream {
  const stream = session.store.streams.get(name);
  assert.ok(stream, `stream ${name}`);
  return stream;
}

function messagesOf(stream: FakeStream): readonly (Message & { readonly origin: string })[] {
  const out: (Message & { readonly origin: string })[] = [];
  for (let seq = stream.nextSeq([], 0); seq > 0; seq = stream.nextSeq([], seq + 1)) {
    const message = stream.get(seq);
    assert.ok(message);
    const origin = parseHeaders(message.headers).get('Nats-Stream-Source') ?? '';
    out.push({ seq, subject: message.subject, payload: decoder.decode(message.payload), origin });
  }
  return out;
}

function release(session: ApiSession, model: Model, name: Origin): void {
  model.held[name] = false;
  stored(session, name).holdSyncs = false;
  stored(session, name).sync();
  model.sync(name);
}

async function act(step: Step, session: ApiSession, model: Model, n: number): Promise<void> {
  if (step.is === 'publish') {
    const subject = `${step.to.toLowerCase()}.${step.token}`;
    session.publish(subject, `${n}`);
    model.origins[step.to].push({ seq: ++model.last[step.to], subject, payload: `${n}` });
    if (!model.held[step.to]) model.sync(step.to);
  } else if (step.is === 'delete') {
    const seq = model.last[step.to] - step.back;
    stored(session, step.to).delete(seq);
    model.origins[step.to] = model.origins[step.to].filter((message) => message.seq !== seq);
  } else if (step.is === 'purge') {
    stored(session, step.to).purge({});
    if (step.to === 'O') model.origins.O = [];
    else if (step.to === 'M') model.mirror = [];
    else model.sourced = [];
  } else if (step.is === 'hold') {
    stored(session, step.to).holdSyncs = true;
    model.held[step.to] = true;
  } else if (step.is === 'release') release(session, model, step.to);
  else if (step.is === 'recreate') await recreate(session, model);
  else {
    release(session, model, 'O');
    release(session, model, 'P');
    await session.restart();
    session.clock.advance(10);
  }
}

/** A source that is deleted and made anew is a new stream: it is taken from its beginning. */
async function recreate(session: ApiSession, model: Model): Promise<void> {
  release(session, model, 'P');
  await ask(session, 'STREAM.DELETE.P');
  await createOrigin(session, 'P');
  model.origins.P = [];
  model.last.P = 0;
  model.shown.P = 0;
}

function compare(session: ApiSession, model: Model): void {
  const mirror = messagesOf(stored(session, 'M')).map(({ seq, subject, payload }) => ({ seq, subject, payload }));
  assert.deepEqual(mirror, model.mirror, 'the mirror');
  const sourced = messagesOf(stored(session, 'S')).map(({ origin, subject, payload }) => `${origin}|${subject}|${payload}`);
  assert.deepEqual(sourced, model.sourced, 'the stream with sources');
}

test('mirrors and sources have what their origins have shown, once and in order', async () => {
  await holdsInTime(
    fc.asyncProperty(steps, async (todo) => {
      const session = await apiSession();
      const model = new Model();
      await ask(session, 'STREAM.CREATE.M', { name: 'M', mirror: { name: 'O' } });
      const transform = { name: 'O', subject_transforms: [{ src: 'o.a', dest: 'x.a' }] };
      await ask(session, 'STREAM.CREATE.S', { name: 'S', sources: [transform, { name: 'P' }] });
      await createOrigin(session, 'O');
      await createOrigin(session, 'P');
      let n = 0;
      for (const step of todo) {
        await act(step, session, model, ++n);
        compare(session, model);
      }
      await session.stop();
    }),
    effort(150),
  );
});
