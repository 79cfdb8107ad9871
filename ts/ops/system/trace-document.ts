// The document about a traced message's way, as nats-server sends it to the subject the message named.

import { isSubsetMatch } from '../../core/subject/subject.ts';
import type { EngineView, MessageTrace, TracedStep, TracedStorage } from '../../engine/snapshot.ts';
import { instantText, unlessEmpty, type Document } from '../monitor/context.ts';

/** How nats-server numbers clients among kinds of connections. */
const CLIENT = 0;

/** Headers in order of their names, as Go writes maps. */
function headersDocument(headers: MessageTrace['headers']): Document {
  return Object.fromEntries([...headers].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The streams that listen where the message came by. */
export function supposedStorages({ at, places }: MessageTrace, view: EngineView): TracedStorage[] {
  const accounts = view.jetstream()?.accounts() ?? [];
  return places.flatMap(({ account, subject }) => {
    const found = accounts.find(({ name }) => name === account);
    const listening = [...(found?.streams() ?? [])].filter(({ config }) => {
      const { subjects } = config as { readonly subjects?: readonly string[] };
      return (subjects ?? []).some((own) => isSubsetMatch(subject, own));
    });
    return listening.map(({ name }) => ({ at, stream: name, subject }));
  });
}

function stepDocument(step: TracedStep): Document {
  const ts = instantText(step.at);
  if (step.kind === 'export') return { type: 'se', ts, acc: step.account, to: step.to };
  if (step.kind === 'import') return { type: 'si', ts, acc: step.account, from: step.from, to: step.to };
  return {
    type: 'eg',
    ts,
    kind: CLIENT,
    cid: step.cid,
    name: unlessEmpty(step.name),
    acc: step.account,
    sub: step.subject,
    queue: unlessEmpty(step.queue),
    error: step.error,
  };
}

export function traceDocument(trace: MessageTrace, server: Document): Document {
  const { at, cid, name, account, subject, mappedTo } = trace;
  return {
    server,
    request: { header: headersDocument(trace.headers), msgsize: trace.sizeBytes },
    events: [
      { type: 'in', ts: instantText(at), kind: CLIENT, cid, name: unlessEmpty(name), acc: account, subj: subject },
      ...(mappedTo === undefined ? [] : [{ type: 'sm', ts: instantText(at), to: mappedTo }]),
      ...trace.storages.map(({ at: ts, stream, subject: stored, noInterest, error }) => ({
        type: 'js',
        ts: instantText(ts),
        stream,
        subject: stored,
        nointerest: noInterest === true ? true : undefined,
        error,
      })),
      ...trace.steps.map(stepDocument),
    ],
  };
}
