// Single messages: STREAM.MSG.GET and STREAM.MSG.DELETE.

import { formatInstant } from '../../core/jetstream/instant.ts';
import type { Schema } from '../../core/jetstream/schema.ts';
import { findMessage, isUnclear, messageGetSchema, type MessageGet } from './message-get.ts';
import { isEmptyRequest, readRequest, refuse, streamOf, whenShown, type ApiHandler } from './request.ts';

const deleteSchema: Schema = {
  name: 'JSApiMsgDeleteRequest',
  fields: { seq: { kind: { is: 'integer', type: 'uint64' } }, no_erase: { kind: { is: 'bool' } } },
};

function base64(bytes: Uint8Array): string | undefined {
  return bytes.length === 0 ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

export const get: ApiHandler = (request) => {
  const asked = readRequest<MessageGet>(request, messageGetSchema);
  if (isUnclear(asked) || asked.batch !== 0 || asked.max_bytes !== 0) refuse('BadRequestErr');
  const stream = streamOf(request);
  const message = findMessage(stream, asked);
  if (message === undefined) refuse('NoMessageFoundErr');
  const { subject, seq, headers, payload, ts } = message;
  const hdrs = asked.no_hdr ? undefined : base64(headers);
  const fields = { message: { subject, seq, hdrs, data: base64(payload), time: formatInstant(ts) } };
  return stream.store.shows(seq) ? { fields } : { fields, ...whenShown(stream) };
};

export const remove: ApiHandler = (request) => {
  const { seq, no_erase } = readRequest<{ seq: number; no_erase: boolean }>(request, deleteSchema);
  if (isEmptyRequest(request)) refuse('BadRequestErr');
  const stream = streamOf(request);
  if (stream.config.sealed) refuse('StreamSealedErr');
  if (stream.config.deny_delete) refuse('StreamMsgDeleteFailedF', { err: 'message delete not permitted' });
  if (!stream.store.delete(seq, !no_erase)) {
    const { firstSeq, lastSeq } = stream.store.state;
    if (seq > 0 && seq >= firstSeq && seq <= lastSeq) refuse('SequenceNotFoundErrF', { seq });
    refuse('StreamMsgDeleteFailedF', { err: seq > lastSeq ? 'stream store EOF' : 'no message found' });
  }
  stream.removed(seq, seq);
  return { fields: { success: true }, after: stream };
};
