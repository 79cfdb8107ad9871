/** The start lines hold what operators and test suites look for, and secrets are never among them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultOptions, type Options } from '../../../ts/core/config/options.ts';
import type { Log } from '../../../ts/ports/log.ts';
import { logBanner, logJetStreamBanner, sizeText } from '../../../ts/ops/banner.ts';

function lines(write: (log: Log) => void): string {
  const written: string[] = [];
  const line =
    (tag: string) =>
    (text: string): void =>
      void written.push(`${tag} ${text}`);
  const quiet = {
    debugOn: false,
    traceOn: false,
    fatal: line('FTL'),
    error: line('ERR'),
    debug: line('DBG'),
    trace: line('TRC'),
  };
  write({ ...quiet, warn: line('WRN'), info: line('INF') });
  return written.join('\n');
}

const facts = { id: 'NID', name: 'east', version: '2.14.5', gitCommit: '', runtime: 'node20.20.2' };

test('the banner names version, runtime, server and configuration', () => {
  const text = lines((log) => logBanner(log, facts, { ...defaultOptions(), configFile: 'a.conf', configDigest: 'sha256:12' }));
  for (const wanted of [
    'INF   Version:  2.14.5',
    'INF   Name:     east',
    'INF   ID:       NID',
    'a.conf (sha256:12)',
    'node20.20.2',
  ]) {
    assert.ok(text.includes(wanted), `${wanted} in\n${text}`);
  }
  assert.doesNotMatch(text, /WRN/);
});

test('a plain password is warned about, a hash is not, and neither is shown', () => {
  const withPass = (pass: string): Options => {
    const options = defaultOptions();
    return { ...options, authorization: { ...options.authorization, user: 'u', pass } };
  };
  const plain = lines((log) => logBanner(log, facts, withPass('s3cret')));
  assert.match(plain, /WRN Plaintext passwords detected/);
  assert.doesNotMatch(plain, /s3cret/);
  const hash = '$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy';
  assert.doesNotMatch(
    lines((log) => logBanner(log, facts, withPass(hash))),
    /WRN/,
  );
});

test("JetStream's lines quote the store directory", () => {
  const jetstream = { maxMemory: 18_957_382_656, maxStorage: 512, storeDir: '/data/jetstream', apiLevel: 4 };
  const text = lines((log) => logJetStreamBanner(log, jetstream, defaultOptions()));
  assert.match(text, /INF {3}Store Directory: "\/data\/jetstream"$/m);
  assert.match(text, /Max Memory: {6}17\.66 GB$/m);
  assert.match(text, /Sync: +before each acknowledgement$/m);
});

test('sizes are told in units of 1024', () => {
  const rows: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KB'],
    [1.5 * 1024 ** 2, '1.50 MB'],
    [63_385_583_616, '59.03 GB'],
  ];
  for (const [bytes, text] of rows) assert.equal(sizeText(bytes), text);
});

test('feature flags are told with what they amount to, and those that are not known apart', () => {
  const text = lines((log) =>
    logBanner(log, facts, { ...defaultOptions(), featureFlags: { z: true, js_ack_fc_v2: true, a: false } }),
  );
  assert.match(text, /Feature flags:\n.*Configured: {4}js_ack_fc_v2 \(opt-in\)\n.*Unsupported: {3}a, z/);
  assert.match(text, /WRN "feature_flags.js_ack_fc_v2" is known, but what it configures is not built yet/);
  const unknown = lines((log) => logBanner(log, facts, { ...defaultOptions(), featureFlags: { z: true } }));
  assert.match(unknown, /Configured: {4}none\n/);
});

test('default domains are warned about, as they are for those who cannot do better yet', () => {
  const text = lines((log) => logBanner(log, facts, { ...defaultOptions(), defaultJsDomain: { A: 'hub' } }));
  assert.match(text, /The option `default_js_domain` is a temporary backwards compatibility measure and will be removed/);
});
