// OCSP as a whole: when the cache lives, what a reload changes, and peers that come in crowds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultTls } from '../../../../ts/core/config/options-default.ts';
import { defaultOptions } from '../../../../ts/core/config/options.ts';
import type { Options } from '../../../../ts/core/config/options.ts';
import { Ocsp } from '../../../../ts/engine/ocsp/ocsp.ts';
import { OcspBench, turns } from '../../../support/ocsp-bench.ts';

const policy = {
  ...{ verify: true, caTimeoutMs: 0, allowedClockSkewMs: 0, warnOnly: false, unknownIsGood: false },
  ...{ allowWhenCaUnreachable: false, cacheTtlWhenNextUpdateUnsetMs: 0 },
};

function optionsWith(verify: boolean, change: Partial<Options> = {}): Options {
  return { ...defaultOptions(), tls: { ...defaultTls(), verify, ocspPeer: { ...policy, verify } }, ...change };
}

/** Answers kept; undefined where there is no cache. */
const keptBy = (ocsp: Ocsp): number | undefined => ocsp.cacheSnapshot?.responses;

interface Running {
  readonly bench: OcspBench;
  readonly ocsp: Ocsp;
  readonly events: string[];
}

async function running(options: Options, bench = new OcspBench()): Promise<Running> {
  const events: string[] = [];
  const ocsp = new Ocsp({
    ...{ port: bench.port, clock: bench.clock, log: bench.log, end: () => events.push('end') },
    events: {
      linkInvalid: ({ subject }, link, reason) => void events.push(`${subject}: ${link.subject}: ${reason}`),
      peerRejected: ({ subject }, reason) => void events.push(`${subject}: ${reason}`),
    },
  });
  await ocsp.open(options);
  return { bench, ocsp, events };
}

test('a server that checks nobody has no cache and writes no file', async () => {
  const { bench, ocsp } = await running(optionsWith(false));
  assert.equal(keptBy(ocsp), undefined);
  ocsp.stop();
  assert.deepEqual([bench.lines, bench.files.size], [[], 0]);
});

test('peers of one kind that come at once are asked about once', async () => {
  const { bench, ocsp } = await running(optionsWith(true));
  const chain = [bench.issue('client').der, bench.root.der];
  const verdicts = await Promise.all(Array.from({ length: 20 }, () => ocsp.judge([chain], policy)));
  assert.deepEqual([new Set(verdicts), bench.asked], [new Set([undefined]), ['GET']]);
  assert.equal(keptBy(ocsp), 1);
  assert.equal(await ocsp.judge([chain], policy), undefined);
  assert.deepEqual(bench.asked, ['GET']);
  ocsp.stop();
});

test('of several chains one in order is enough, and nobody hears of the others but as links', async () => {
  const { bench, ocsp, events } = await running(optionsWith(true));
  const [asked, silent] = [bench.issue('client').der, bench.issue('silent', { responders: [] }).der];
  bench.status = 'revoked';
  const chains = [
    [asked, bench.root.der],
    [silent, bench.root.der],
  ];
  assert.equal(await ocsp.judge(chains, policy), undefined);
  const link = 'CN=client,O=Slipstream: CN=client,O=Slipstream: Invalid OCSP response status: revoked';
  assert.deepEqual(events.splice(0), [link]);
  assert.equal(await ocsp.judge(chains.slice(0, 1), policy), 'client not OCSP valid');
  assert.deepEqual(events, [link, 'CN=client,O=Slipstream: client not OCSP valid']);
  ocsp.stop();
});

test('no chain, and what is no certificate, is refused', async () => {
  const { bench, ocsp } = await running(optionsWith(true));
  assert.equal(await ocsp.judge([], policy), 'client not OCSP valid');
  assert.equal(await ocsp.judge([[Buffer.from('x'), bench.root.der]], policy), 'client not OCSP valid');
  const [first, second = ''] = bench.said('error');
  assert.equal(first, 'error: Peer certificate is nil, rejecting OCSP peer');
  assert.match(second, /^error: OCSP peer verification failed: /);
  ocsp.stop();
});

test('a cache of type none keeps nothing', async () => {
  const none = { type: 'none', localStore: '', preserveRevoked: false, saveIntervalMs: 1_000 } as const;
  const { bench, ocsp } = await running(optionsWith(true, { ocspCache: none }));
  const chain = [bench.issue('client').der, bench.root.der];
  for (let times = 0; times < 2; times++) assert.equal(await ocsp.judge([chain], policy), undefined);
  assert.deepEqual([bench.asked, ocsp.cacheSnapshot], [['GET', 'GET'], undefined]);
  assert.ok(bench.lines.includes('info: OCSP peer cache online, type [none]'));
  ocsp.stop();
});

test('a reload keeps the cache that is as it was, and moves to another one', async () => {
  const { bench, ocsp } = await running(optionsWith(true));
  const chain = [bench.issue('client').der, bench.root.der];
  await ocsp.judge([chain], policy);
  await ocsp.reload(optionsWith(true));
  assert.equal(keptBy(ocsp), 1);
  const elsewhere = { type: 'local', localStore: 'elsewhere', preserveRevoked: false, saveIntervalMs: 1_000 } as const;
  await ocsp.reload(optionsWith(true, { ocspCache: elsewhere }));
  assert.equal(keptBy(ocsp), 0);
  assert.deepEqual([...bench.files.keys()], ['/at/_rc_/cache.json']);
  await ocsp.reload(optionsWith(false));
  assert.equal(keptBy(ocsp), undefined);
  await ocsp.reload(optionsWith(true));
  assert.equal(keptBy(ocsp), 1);
  ocsp.stop();
});

test('a reload takes a new certificate with its status, and keeps the old where that is not to be had', async () => {
  const bench = new OcspBench();
  const old = bench.issue('old');
  bench.own = old;
  const { ocsp } = await running(optionsWith(false, { ocsp: { mode: 'always', urls: [] } }), bench);
  const renewed = bench.issue('renewed');
  bench.own = renewed;
  bench.fails = true;
  await ocsp.reload(optionsWith(false, { ocsp: { mode: 'always', urls: [] } }));
  assert.match(
    bench.said('warn')[0] ?? '',
    /^warn: Can't restart OCSP features: bad OCSP status update for certificate at 'own\.pem'/,
  );
  assert.ok(await ocsp.staple(old.der));
  bench.fails = false;
  await ocsp.reload(optionsWith(false, { ocsp: { mode: 'always', urls: [] } }));
  assert.equal(ocsp.staple(old.der), undefined);
  assert.ok(await ocsp.staple(renewed.der));
  ocsp.stop();
  assert.equal(ocsp.staple(renewed.der), undefined);
});

test('of two reloads at once the later one counts', async () => {
  const bench = new OcspBench();
  bench.own = bench.issue('server');
  const { ocsp } = await running(optionsWith(false), bench);
  const first = ocsp.reload(optionsWith(false, { ocsp: { mode: 'always', urls: [] } }));
  const second = ocsp.reload(optionsWith(false, { ocsp: { mode: 'never', urls: [] } }));
  await Promise.all([first, second]);
  await turns();
  assert.equal(ocsp.staple(bench.own.der), undefined);
  ocsp.stop();
});
