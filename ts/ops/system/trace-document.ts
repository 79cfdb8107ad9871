// The document about a traced message's way, as nats-server sends it to the subject the message named.

import { isSubsetMatch } from '../../core/subject/subject.ts';
import type { EngineView, MessageTrace, TracedStorage } from '../../engine/snapshot.ts';
import { instantText, unlessEmpty, type Document } from '../monitor/context.ts';

/** How nats-server numbers clients among kinds of connections. */
const CLIENT = 0;

/** Headers in order of their names, as Go writes maps. */
function headersDocument(headers: ReadonlyMap<string, string>): Document {
  return Object.fromEntries([...headers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, [value]]));
}

/** The streams that listen on the message's subject. */
export function supposedStorages({ account, at, subject, mappedTo = subject }: MessageTrace, view: EngineView): TracedStorage[] {
  const found = view
    .jetstream()
    ?.accounts()
    .find(({ name }) => name === account);
  const listening = (found?.streams() ?? []).filter(({ config }) => {
    const { subjects } = config as { readonly subjects?: readonly string[] };
    return (subjects ?? []).some((own) => isSubsetMatch(mappedTo, own));
  });
  return listening.map(({ name }) => ({ at, stream: name, subject: mappedTo }));
}

export function traceDocument(trace: MessageTrace, server: Document): Document {
  const { at, cid, name, account, subject, mappedTo } = trace;
  return {
    server,
    request: { header: headersDocument(trace.headers), msgsize: trace.sizeBytes },
    events: [
      { type: 'in', ts: instantText(at), kind: CLIENT, cid, name: unlessEmpty(name), acc: account, subj: subject },
      ...(mappedTo === undefined ? [] : [{ type: 'sm', ts: instantText(at), to: mappedTo }]),
      ...trace.storages.map(({ at: ts, stream, subject: stored, error }) => ({
        type: 'js',
        ts: instantText(ts),
        stream,
        subject: stored,
        error,
      })),
      ...trace.deliveries.map((one) => ({
        type: 'eg',
        ts: instantText(one.at),
        kind: CLIENT,
        cid: one.cid,
        name: unlessEmpty(one.name),
        sub: one.subject,
        queue: unlessEmpty(one.queue),
      })),
    ],
  };
}
