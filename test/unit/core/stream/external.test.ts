// What a mirror or source says to an origin elsewhere and hears from it, as nats-server words it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamSource } from '../../../../ts/core/jetstream/stream-config.ts';
import {
  consumerRequest,
  resetRequest,
  deliverSubject,
  readConsumerAnswer,
  readDelivery,
  retryDelayMs,
} from '../../../../ts/core/stream/external.ts';

const plain: StreamSource = {
  name: 'O',
  opt_start_seq: 0,
  opt_start_time: undefined,
  filter_subject: '',
  subject_transforms: [],
  external: { api: '$JS.hub.API', deliver: 'deliver.b' },
  consumer: undefined,
};

test('deliveries come below the exported prefix, dots not doubled, or on a subject of our own', () => {
  assert.equal(deliverSubject(plain, 'M', 'xy'), 'deliver.b.M.xy');
  assert.equal(deliverSubject({ ...plain, external: { api: 'x', deliver: 'deliver.' } }, 'S', 'xy'), 'deliver.S.xy');
  assert.equal(deliverSubject({ ...plain, external: { api: 'x', deliver: '' } }, 'S', 'xy'), '$JS.S.xy');
});

test('one filter stands in the subject of the request, several in its body', () => {
  const one = consumerRequest({ ...plain, filter_subject: 'a.*' }, 'C', 'd', undefined);
  assert.equal(one.subject, '$JS.hub.API.CONSUMER.CREATE.O.C.a.*');
  const config = (request: typeof one): Record<string, unknown> => request.body['config'] as Record<string, unknown>;
  assert.equal(config(one)['filter_subject'], 'a.*');
  const transforms = [
    { src: 'a', dest: 'b' },
    { src: 'c', dest: 'd' },
  ];
  const two = consumerRequest({ ...plain, subject_transforms: transforms }, 'C', 'd', undefined);
  assert.equal(two.subject, '$JS.hub.API.CONSUMER.CREATE.O');
  assert.deepEqual(config(two)['filter_subjects'], ['a', 'c']);
});

test('a request begins with everything, at a sequence, or at a time', () => {
  const policy = (beginning: Parameters<typeof consumerRequest>[3]): unknown[] => {
    const config = consumerRequest(plain, 'C', 'd', beginning).body['config'] as Record<string, unknown>;
    return [config['deliver_policy'], config['opt_start_seq'], config['opt_start_time']];
  };
  assert.deepEqual(policy(undefined), ['all', undefined, undefined]);
  assert.deepEqual(policy({ seq: 7 }), ['by_start_sequence', 7, undefined]);
  assert.deepEqual(policy({ at: { seconds: 0, nanos: 5 } }), ['by_start_time', undefined, '1970-01-01T00:00:00.000000005Z']);
});

test('a delivery is read from the reply of either length; anything else is none', () => {
  const numbers = { seq: 20, consumerSeq: 3, ts: { seconds: 1, nanos: 5 }, pending: 9 };
  assert.deepEqual(readDelivery('$JS.ACK.O.C.1.20.3.1000000005.9'), numbers);
  assert.deepEqual(readDelivery('$JS.ACK.hub.hash.O.C.1.20.3.1000000005.9'), numbers);
  for (const reply of ['', '$JS.FC.O.C.x', '$JS.ACK.O.C.1.20.3.x.9', '$JS.ACK.O.C.1.20.3.1000000005']) {
    assert.equal(readDelivery(reply), undefined, reply);
  }
});

test('an answer is a consumer or an error; what is neither is passed over', () => {
  const ok = readConsumerAnswer(
    '{"config":{"ack_policy":"flow_control"},"num_pending":4,"delivered":{"consumer_seq":0,"stream_seq":6}}',
  );
  assert.deepEqual(ok, { ok: true, pending: 4, delivered: 6, ackPolicy: 'flow_control' });
  const error = { code: 404, err_code: 10059, description: 'stream not found' };
  assert.deepEqual(readConsumerAnswer(JSON.stringify({ error })), { ok: false, error });
  assert.equal(readConsumerAnswer('{}'), undefined);
  assert.equal(readConsumerAnswer('not json'), undefined);
});

test('a consumer made beforehand is reset, through the API of its account or our own', () => {
  const consumer = { name: 'C', deliver_subject: 'd' };
  assert.equal(resetRequest({ ...plain, consumer }), '$JS.hub.API.CONSUMER.RESET.O.C');
  assert.equal(resetRequest({ ...plain, consumer, external: undefined }), '$JS.API.CONSUMER.RESET.O.C');
});

test('each failure doubles the wait, up to a minute', () => {
  assert.deepEqual([1, 2, 3, 5, 6, 60].map(retryDelayMs), [2000, 4000, 8000, 32_000, 60_000, 60_000]);
});
