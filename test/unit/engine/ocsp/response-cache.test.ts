// The cache of answers: what is counted, what is forgotten, and the file that both servers share.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeS2 } from '../../../../ts/core/archive/s2-stream.ts';
import type { CertificateStatus } from '../../../../ts/core/ocsp/answer.ts';
import { CacheLife } from '../../../../ts/engine/ocsp/cache-life.ts';
import { ResponseCache } from '../../../../ts/engine/ocsp/response-cache.ts';
import { OcspBench } from '../../../support/ocsp-bench.ts';

const NOW = Date.UTC(2026, 10, 28, 12, 0, 0, 600);
const raw = Uint8Array.from([1, 2, 3]);
const answer = (status: CertificateStatus, nextUpdateMs?: number) => ({ status, thisUpdateMs: NOW, nextUpdateMs, raw });
const options = { type: 'local', localStore: 'kept', preserveRevoked: false, saveIntervalMs: 60_000 } as const;
const path = '/at/kept/cache.json';

function cacheOf(preserveRevoked = false): { cache: ResponseCache; lines: string[] } {
  const lines: string[] = [];
  return { cache: new ResponseCache(preserveRevoked, ({ text }) => void lines.push(text)), lines };
}

test('hits, misses and what is kept are counted', () => {
  const { cache, lines } = cacheOf();
  assert.equal(cache.get('a'), undefined);
  cache.put('a', answer('good'), 'CN=a', NOW);
  cache.put('b', answer('unknown'), 'CN=b', NOW);
  cache.put('b', answer('revoked'), 'CN=b', NOW);
  assert.deepEqual(cache.get('a'), raw);
  assert.deepEqual(cache.snapshot, { hits: 1, misses: 1, responses: 2, good: 1, revoked: 1, unknown: 0 });
  cache.forget('a');
  cache.forget('nobody');
  assert.deepEqual(cache.snapshot, { hits: 0, misses: 2, responses: 1, good: 0, revoked: 1, unknown: 0 });
  assert.deepEqual(lines.slice(0, 2), ['OCSP peer cache miss for key [a]', 'Caching OCSP response for [CN=a], key [a]']);
  assert.equal(lines.at(-1), 'Deleting OCSP peer cached response for key [a]');
});

test('a revocation is preserved where that is asked for, but was no hit', () => {
  const { cache, lines } = cacheOf(true);
  cache.put('a', answer('revoked'), 'CN=a', NOW);
  cache.get('a');
  cache.forget('a');
  assert.deepEqual(cache.snapshot, { hits: 0, misses: 1, responses: 1, good: 0, revoked: 1, unknown: 0 });
  assert.equal(lines.at(-1), 'Revoked OCSP response for key [a] preserved by cache policy');
});

test("the file is nats-server's", () => {
  const { cache } = cacheOf();
  cache.put('b=', answer('revoked'), 'CN=b&c', NOW);
  cache.put('a=', answer('good', Date.UTC(2027, 0, 1)), 'CN=a', NOW);
  const resp = Buffer.from(encodeS2(raw)).toString('base64');
  const text = `{
 "a=": {
  "subject": "CN=a",
  "cached_at": "2026-11-28T12:00:01Z",
  "resp_status": "good",
  "resp_expires": "2027-01-01T00:00:00Z",
  "resp": "${resp}"
 },
 "b=": {
  "subject": "CN=b\\u0026c",
  "cached_at": "2026-11-28T12:00:01Z",
  "resp_status": "revoked",
  "resp_expires": "0001-01-01T00:00:00Z",
  "resp": "${resp}"
 }
}`;
  assert.equal(cache.text(), text);
  const again = cacheOf().cache;
  again.load(text);
  assert.equal(again.text(), text);
  assert.deepEqual(again.get('b='), raw);
});

test('what a file says that nobody wrote is not good', () => {
  const { cache, lines } = cacheOf();
  cache.load('{"a": {"resp_status": "fine"}, "b": 3, "c": {"resp": "AAAA", "resp_status": "good"}}');
  assert.deepEqual(cache.snapshot, { hits: 0, misses: 0, responses: 2, good: 1, revoked: 0, unknown: 1 });
  assert.equal(cache.get('c'), undefined);
  assert.match(lines.at(-1) ?? '', /^Unable to decompress OCSP response for key \[c\]: s2: /);
  for (const wrong of ['', '[]', '3', '{"a":']) assert.throws(() => cacheOf().cache.load(wrong), wrong);
});

test('the file is read at the start, and written when something was learnt: at intervals and at the end', () => {
  const bench = new OcspBench();
  const first = new CacheLife(options, bench);
  assert.ok(bench.lines.includes('debug: No OCSP peer cache found, starting with empty cache'));
  bench.clock.advance(60_000);
  assert.equal(bench.files.size, 0);
  first.cache.put('a', answer('good'), 'CN=a', NOW);
  bench.clock.advance(60_000);
  const written = bench.files.get(path);
  assert.ok(bench.lines.includes(`debug: Saved OCSP peer cache successfully (${written?.length} bytes)`));
  first.cache.put('b', answer('good'), 'CN=b', NOW);
  first.stop();
  assert.notEqual(bench.files.get(path), written);
  const second = new CacheLife(options, bench);
  assert.equal(second.snapshot.responses, 2);
  bench.files.clear();
  second.stop();
  bench.clock.advance(600_000);
  assert.equal(bench.files.size, 0);
});

test('a file that cannot be read or written costs a line', () => {
  const bench = new OcspBench();
  bench.files.set(path, Buffer.from('nonsense'));
  const life = new CacheLife(options, bench);
  assert.match(bench.said('warn')[0] ?? '', /^warn: Unable to load OCSP peer cache: /);
  bench.diskFails = true;
  bench.clock.advance(60_000);
  assert.deepEqual(bench.said('error'), ['error: Unable to save OCSP peer cache: no space']);
  bench.diskFails = false;
  life.stop();
  assert.equal(Buffer.from(bench.files.get(path) ?? []).toString(), '{}');
});
