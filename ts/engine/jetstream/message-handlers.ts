// Single messages: STREAM.MSG.GET and STREAM.MSG.DELETE.

import { formatInstant } from '../../core/jetstream/instant.ts';
import { apiError } from '../../core/jetstream/errors.ts';
import { responseType } from '../../core/jetstream/api.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import type { Schema } from '../../core/jetstream/schema.ts';
import { findMessage, isUnclear, messageGetSchema, type MessageGet } from './message-get.ts';
import { isEmptyRequest, readRequest, refuse, streamOf, whenShown, type ApiHandler, type ApiRequest } from './request.ts';

const deleteSchema: Schema = {
  name: 'JSApiMsgDeleteRequest',
  fields: { seq: { kind: { is: 'integer', type: 'uint64' } }, no_erase: { kind: { is: 'bool' } } },
};

const decoder = new TextDecoder();
const responseHead = `{"type":"${responseType('stream_msg_get_response')}","message":{"subject":`;
/** A request as clients write it for the last message of a subject: read without the reader of documents, which takes longer than the look-up. */
const plainLast = /^\{"last_by_subj":"([!#-[\]-~]+)"\}$/;

/** What a request asks for: the subject alone of a plain one. */
function readGet(request: ApiRequest): MessageGet | string {
  const [, subject] = plainLast.exec(decoder.decode(request.message.payload)) ?? [];
  if (subject !== undefined) return subject;
  const asked = readRequest<MessageGet>(request, messageGetSchema);
  if (isUnclear(asked) || asked.batch > 0 || asked.max_bytes > 0) refuse('BadRequestErr');
  return asked;
}

/** A field of bytes; they are left out when there are none. */
function bytesField(name: string, bytes: Uint8Array): string {
  if (bytes.length === 0) return '';
  return `,"${name}":"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"`;
}

export const get: ApiHandler = (request) => {
  const asked = readGet(request);
  const stream = streamOf(request);
  const isPlain = typeof asked === 'string';
  const message = isPlain ? stream.store.lastBySubject(asked) : findMessage(stream, asked);
  if (message === undefined) refuse('NoMessageFoundErr');
  const { subject, seq, headers, payload, ts } = message;
  const content = `${!isPlain && asked.no_hdr ? '' : bytesField('hdrs', headers)}${bytesField('data', payload)}`;
  const text = `${responseHead}${encodeJson(subject)},"seq":${seq}${content},"time":"${formatInstant(ts)}"}}`;
  return stream.store.shows(seq) ? { text } : { text, ...whenShown(stream) };
};

export const remove: ApiHandler = (request) => {
  const { seq, no_erase } = readRequest<{ seq: number; no_erase: boolean }>(request, deleteSchema);
  if (isEmptyRequest(request)) refuse('BadRequestErr');
  const stream = streamOf(request);
  if (stream.config.sealed) refuse('StreamSealedErr');
  if (stream.config.deny_delete) refuse('StreamMsgDeleteFailedF', { err: 'message delete not permitted' });
  if (!stream.store.delete(seq, !no_erase)) {
    const { firstSeq, lastSeq } = stream.store.state;
    const isWithin = seq > 0 && seq >= firstSeq && seq <= lastSeq;
    const error =
      isWithin || stream.config.storage === 'memory'
        ? apiError('SequenceNotFoundErrF', { seq })
        : apiError('StreamMsgDeleteFailedF', { err: seq > lastSeq ? 'stream store EOF' : 'no message found' });
    return { error, isCounted: false };
  }
  stream.removed(seq, seq);
  return { fields: { success: true }, after: stream };
};
