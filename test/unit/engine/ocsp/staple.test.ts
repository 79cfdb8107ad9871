// The status of a certificate of ours over time: asked for again before it runs out, shown while it is good, and the end of the server when it is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Staple } from '../../../../ts/engine/ocsp/staple.ts';
import { ocspDocuments } from '../../../../ts/node/ocsp-documents.ts';
import { OcspBench, turns } from '../../../support/ocsp-bench.ts';

const HOUR_MS = 3_600_000;

interface Stapled {
  readonly bench: OcspBench;
  readonly staple: Staple;
  readonly ended: () => boolean;
}

function stapleOf(endsWhenRevoked = true, bench = new OcspBench()): Stapled {
  const leaf = bench.own ?? bench.issue('server');
  bench.own = leaf;
  let ended = false;
  const link = { leaf: ocspDocuments.facts(leaf.der), issuer: ocspDocuments.facts(bench.root.der) };
  const settings = { file: 'own.pem', link, endsWhenRevoked, urls: [], directory: '/at/ocsp' };
  const { port, clock, log } = bench;
  const staple = new Staple(settings, { port, clock, log, documents: ocspDocuments, end: () => (ended = true) });
  return { bench, staple, ended: () => ended };
}

test('a good status is asked for again half way to its end', async () => {
  const { bench, staple } = stapleOf();
  await staple.open();
  staple.begin();
  assert.match(bench.said('info')[1] ?? '', /: good, next update \S+Z, checking again in 30m0s$/);
  for (let times = 0; times < 3; times++) {
    bench.clock.advance(HOUR_MS / 2);
    await turns();
    assert.match(bench.said('info')[0] ?? '', /^info: Received OCSP status for Client certificate 'own\.pem': good, next/);
  }
  assert.deepEqual(bench.asked, ['POST', 'POST', 'POST', 'POST']);
  staple.stop();
  bench.clock.advance(10 * HOUR_MS);
  assert.equal(bench.asked.length, 4);
});

test('while nobody answers the old status is shown until it runs out, and then none', async () => {
  const { bench, staple } = stapleOf();
  await staple.open();
  staple.begin();
  const { raw } = await staple.status();
  bench.fails = true;
  bench.clock.advance(HOUR_MS / 2);
  await turns();
  assert.deepEqual(bench.said('error'), [
    "error: Bad OCSP status update for certificate 'own.pem': exhausted ocsp servers: nobody there\nnobody there, trying again in 15m0s",
  ]);
  assert.deepEqual((await staple.status()).raw, raw);
  bench.clock.advance(HOUR_MS / 2 + 1_000);
  await assert.rejects(staple.status(), /exhausted ocsp servers/);
  bench.fails = false;
  assert.notDeepEqual((await staple.status()).raw, raw);
  staple.stop();
});

for (const status of ['revoked', 'unknown'] as const) {
  for (const ends of [true, false]) {
    test(`a status that becomes ${status} ${ends ? 'ends the server' : 'is told, and that is all'}`, async () => {
      const { bench, staple, ended } = stapleOf(ends);
      await staple.open();
      staple.begin();
      bench.status = status;
      bench.clock.advance(HOUR_MS / 2);
      await turns();
      assert.deepEqual(bench.said('error'), [`error: Received OCSP status for Client certificate 'own.pem': ${status}`]);
      assert.equal(ended(), ends);
      staple.stop();
    });
  }
}

test('a revoked certificate is no reason not to start where the options do not say so; it is asked about once more', async () => {
  const bench = new OcspBench();
  bench.status = 'revoked';
  const { staple, ended } = stapleOf(false, bench);
  await staple.open();
  staple.begin();
  bench.clock.advance(0);
  await turns();
  assert.deepEqual(bench.said('error'), ["error: Received OCSP status for Client certificate 'own.pem': revoked"]);
  assert.deepEqual([bench.asked.length, ended()], [2, false]);
  staple.stop();
});

test('a status that cannot be kept is not shown', async () => {
  const { bench, staple } = stapleOf();
  bench.diskFails = true;
  await assert.rejects(
    staple.open(),
    /bad OCSP status update for certificate at 'own\.pem': failed to write ocsp status: no space/,
  );
});

test('a file that says nothing of this certificate is passed over', async () => {
  const { bench, staple } = stapleOf();
  await staple.open();
  const [path = ''] = bench.files.keys();
  bench.files.set(path, Buffer.from('nonsense'));
  const again = stapleOf(true, bench).staple;
  await again.open();
  assert.deepEqual(bench.asked, ['POST', 'POST']);
  await stapleOf(true, bench).staple.open();
  assert.deepEqual(bench.asked, ['POST', 'POST']);
});
