// The tables of JetStream: every error row is well formed and filled in, every request subject finds its row.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advisoryOf } from '../../../../ts/core/jetstream/advisories.ts';
import { findApiRoute } from '../../../../ts/core/jetstream/api.ts';
import { apiError, apiErrors, type ApiErrorId } from '../../../../ts/core/jetstream/errors.ts';

test('error numbers run from 10002 without a gap, ids are used once, codes are those of HTTP', () => {
  assert.deepEqual(
    apiErrors.map(([number]) => number),
    apiErrors.map((_, index) => 10002 + index),
  );
  assert.equal(new Set(apiErrors.map(([, , id]) => id)).size, apiErrors.length);
  for (const [number, code] of apiErrors)
    assert.ok([400, 404, 409, 412, 429, 500, 503].includes(code), `${number} has code ${code}`);
});

test('placeholders are filled in and a forgotten one is noticed', () => {
  assert.deepEqual(apiError('StreamWrongLastSequenceErrF', { seq: 7 }), {
    code: 400,
    err_code: 10071,
    description: 'wrong last sequence: 7',
  });
  for (const [, , id, text] of apiErrors) {
    if (text.includes('{')) assert.throws(() => apiError(id as ApiErrorId), `${id} was accepted without values`);
    else assert.equal(apiError(id as ApiErrorId).description, text);
  }
});

const routes: readonly (readonly [subject: string, handler: string | undefined, parts?: readonly string[]])[] = [
  ['$JS.API.INFO', 'accountInfo', []],
  ['$JS.API.STREAM.CREATE.A', 'streamCreate', ['A']],
  ['$JS.API.STREAM.CREATE.A.B', undefined],
  ['$JS.API.STREAM.NAMES', 'streamNames', []],
  ['$JS.API.STREAM.MSG.GET.A', 'messageGet', ['A']],
  ['$JS.API.CONSUMER.CREATE.A', 'consumerCreate', ['A']],
  ['$JS.API.CONSUMER.CREATE.A.C', 'consumerCreate', ['A', 'C']],
  ['$JS.API.CONSUMER.CREATE.A.C.f.*.>', 'consumerCreate', ['A', 'C.f.*.>']],
  ['$JS.API.CONSUMER.DURABLE.CREATE.A.C', 'consumerDurableCreate', ['A', 'C']],
  ['$JS.API.CONSUMER.MSG.NEXT.A.C', 'consumerNext', ['A', 'C']],
  ['$JS.API.DIRECT.GET.A.x.y', 'directGetSubject', ['A', 'x.y']],
  ['$JS.API.STREAM', undefined],
  ['$JS.API.STREAM.FOO.A', undefined],
  ['other', undefined],
];

for (const [subject, handler, parts] of routes) {
  test(`${subject} ${handler === undefined ? 'is not answered' : `goes to ${handler}`}`, () => {
    const route = findApiRoute(subject);
    assert.equal(route?.row.handler, handler);
    assert.deepEqual(route?.parts, parts);
  });
}

test('advisories name their stream and consumer', () => {
  assert.deepEqual(advisoryOf('messageNaked', 'S', 'C'), {
    subject: '$JS.EVENT.ADVISORY.CONSUMER.MSG_NAKED.S.C',
    type: 'io.nats.jetstream.advisory.v1.nak',
  });
});
