/**
 * Clients whose certificates are checked with those who signed them: who is let in, what the log says and what the system account hears, on both
 * servers, with certificates and responders that the test makes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Issued } from '../support/certificate-authority.ts';
import { OcspTrust } from '../support/ocsp-trust.ts';
import { skipWithout } from '../support/peers.ts';
import { serverFor, type ServerKind, type ServerProcess } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** What the log warned of, without the words of one system's network. */
function warnings({ log }: ServerProcess): string[] {
  return [...log.matchAll(/\[(?:WRN|ERR)\] (.*OCSP.*)/g)]
    .map(([, text = '']) => text.replace(/responders: .*/, 'responders').replace(/.* - (cid:\d+ - )?(TLS handshake error)/, '$2'))
    .filter((text) => !text.startsWith('TLS handshake'));
}

interface Case {
  readonly name: string;
  readonly policy: string;
  readonly before?: (trust: OcspTrust) => void;
  readonly letIn: boolean;
  readonly warned: readonly string[];
}

const CLIENT = 'CN=client,O=Slipstream';
const failed = `Attempt to obtain OCSP response from CA responder for [${CLIENT}] failed: exhausted OCSP responders`;
const revoked = `OCSP verify fail for [${CLIENT}] with CA status [revoked]`;
const unknown = `OCSP verify fail for [${CLIENT}] with CA status [unknown]`;
const allowed = `OCSP verify fail for [${CLIENT}] but WarnOnly is true so allowing`;
const revoke = (trust: OcspTrust): void => trust.responder.set(trust.client, 'revoked');
const forget = (trust: OcspTrust): void => trust.responder.set(trust.client, 'unknown');
const unplug = (trust: OcspTrust): void => trust.responder.close();

const cases: readonly Case[] = [
  { name: 'good certificates are let in', policy: 'true', letIn: true, warned: [] },
  { name: 'a revoked one is not', policy: 'true', before: revoke, letIn: false, warned: [revoked] },
  { name: 'nor one that is unknown', policy: '{ verify: true }', before: forget, letIn: false, warned: [unknown] },
  {
    name: 'unless unknown is good',
    policy: '{ verify: true, unknown_is_good: true }',
    before: forget,
    letIn: true,
    warned: [],
  },
  {
    name: 'a revoked intermediate takes those below it with it',
    policy: 'true',
    before: (trust) => trust.rootResponder.set(trust.intermediate, 'revoked'),
    letIn: false,
    warned: ['OCSP verify fail for [CN=intermediate,O=Slipstream] with CA status [revoked]'],
  },
  {
    name: 'warn_only lets in and says why it should not',
    policy: '{ verify: true, warn_only: true }',
    before: revoke,
    letIn: true,
    warned: [revoked, allowed],
  },
  { name: 'without a responder nobody is let in', policy: 'true', before: unplug, letIn: false, warned: [failed] },
  {
    name: 'unless that is allowed',
    policy: '{ verify: true, allow_when_ca_unreachable: true }',
    before: unplug,
    letIn: true,
    warned: [
      failed,
      `Failed to obtain OCSP CA response for [${CLIENT}] but AllowWhenCAUnreachable set; no cached revocation so allowing`,
    ],
  },
  {
    name: 'or only warned of',
    policy: '{ verify: true, warn_only: true }',
    before: unplug,
    letIn: true,
    warned: [failed, allowed],
  },
  {
    name: 'a responder that has trouble is none',
    policy: 'true',
    before: (trust) => (trust.responder.httpStatus = 500),
    letIn: false,
    warned: [failed],
  },
  {
    name: 'a responder that does not answer in time is none',
    policy: '{ verify: true, ca_timeout: "50ms" }',
    before: (trust) => (trust.responder.silent = true),
    letIn: false,
    warned: [failed],
  },
  {
    name: 'an answer that has run out does not count',
    policy: '{ verify: true, allowed_clockskew: 1 }',
    before: ({ responder }) => (responder.wishes = { nextUpdateMs: Date.now() - 5_000 }),
    letIn: false,
    warned: [`New OCSP CA response obtained for [${CLIENT}] but not current`],
  },
  {
    name: 'but may while clocks can differ that much',
    policy: '{ verify: true, allowed_clockskew: 60 }',
    before: ({ responder }) => (responder.wishes = { nextUpdateMs: Date.now() - 5_000 }),
    letIn: true,
    warned: [],
  },
  {
    name: 'an answer without an end counts for a time',
    policy: '{ verify: true, cache_ttl_when_next_update_unset: "1h" }',
    before: ({ responder }) => (responder.wishes = { nextUpdateMs: null, thisUpdateMs: Date.now() - 1_800_000 }),
    letIn: true,
    warned: [],
  },
  {
    name: 'and no longer',
    policy: '{ verify: true, cache_ttl_when_next_update_unset: "10m" }',
    before: ({ responder }) => (responder.wishes = { nextUpdateMs: null, thisUpdateMs: Date.now() - 1_800_000 }),
    letIn: false,
    warned: [`New OCSP CA response obtained for [${CLIENT}] but not current`],
  },
  {
    name: 'one the authority made for that may sign answers',
    policy: 'true',
    before: (trust) => (trust.responder.wishes = { signer: trust.intermediate.issue('answers', { signsAnswers: true }) }),
    letIn: true,
    warned: [],
  },
  {
    name: 'another certificate of the authority may not',
    policy: 'true',
    before: (trust) => (trust.responder.wishes = { signer: trust.intermediate.issue('answers') }),
    letIn: false,
    warned: [`Invalid OCSP response delegation: ${CLIENT}`],
  },
];

const kinds: readonly ServerKind[] = ['slipstream', 'nats-server'];

for (const kind of kinds) {
  describe(`certificates of clients on ${kind}`, { skip: kind === 'nats-server' && skipWithout('nats-server') }, () => {
    for (const { name, policy, before, letIn, warned } of cases) {
      test(name, async (context) => {
        const trust = await OcspTrust.make(context);
        before?.(trust);
        const server = await serverFor(context, kind, { config: trust.config(policy) });
        if (letIn) await (await trust.enter(server)).close();
        else {
          await assert.rejects(trust.enter(server));
          await server.waitForLog(/TLS handshake error: client not OCSP valid/);
        }
        assert.deepEqual(warnings(server), warned);
      });
    }

    test('the system account hears of a chain that is not in order, and of whom was not let in', async (context) => {
      const trust = await OcspTrust.make(context);
      revoke(trust);
      const server = await serverFor(context, kind, { config: trust.config('true') });
      const system = await trust.enter(server, trust.silent, 's');
      const heard = system.subscribe('$SYS.SERVER.*.OCSP.>', { max: 2 });
      await system.flush();
      await assert.rejects(trust.enter(server));
      const events: unknown[] = [];
      for await (const message of heard) {
        const { id, timestamp, server: from, ...rest } = message.json<Record<string, unknown>>();
        assert.deepEqual([typeof id, typeof timestamp, typeof from], ['string', 'string', 'object']);
        events.push([message.subject.replace(/N[A-Z2-7]{55}/, 'ID'), rest]);
      }
      const peer = {
        subject: CLIENT,
        issuer: 'CN=intermediate,O=Slipstream',
        fingerprint: trust.client.fingerprint,
        raw: trust.client.der.toString('base64'),
      };
      const type = 'io.nats.server.advisory.v1.';
      assert.deepEqual(events, [
        [
          '$SYS.SERVER.ID.OCSP.PEER.LINK.INVALID',
          { type: `${type}ocsp_peer_link_invalid`, link: peer, peer, reason: 'Invalid OCSP response status: revoked' },
        ],
        [
          '$SYS.SERVER.ID.OCSP.PEER.CONN.REJECT',
          { type: `${type}ocsp_peer_reject`, kind: 'Client', peer, reason: 'client not OCSP valid' },
        ],
      ]);
      await system.close();
    });

    test("an answer is asked for once, counted, and kept for the next server in nats-server's file", async (context) => {
      const trust = await OcspTrust.make(context);
      const folder = temporaryFolder();
      const config = trust.config('true', 'http: "127.0.0.1:-1", ocsp_cache { local_store: "kept" }');
      const server = await serverFor(context, kind, { config, folder });
      for (let times = 0; times < 2; times++) await (await trust.enter(server)).close();
      assert.deepEqual(trust.responder.asked, ['GET']);
      const varz = await varzOf(server);
      assert.equal(varz['tls_ocsp_peer_verify'], true);
      assert.deepEqual(varz['ocsp_peer_cache'], {
        ...{ cache_type: 'local', cache_hits: 2, cache_misses: 2 },
        ...{ cached_responses: 2, cached_good_responses: 2 },
      });
      await server.stop();
      const file = JSON.parse(readFileSync(join(folder, 'kept', 'cache.json'), 'utf8')) as Record<string, Record<string, string>>;
      assert.deepEqual(Object.keys(file), [trust.client.fingerprint, trust.intermediate.fingerprint].sort());
      const { resp, cached_at, resp_expires, ...rest } = file[trust.client.fingerprint] ?? {};
      assert.deepEqual(rest, { subject: CLIENT, resp_status: 'good' });
      assert.match(`${cached_at} ${resp_expires} ${resp}`, /^\S+Z \S+Z \/wYAAFMyc1R3T/);
      // Either server goes on with what the other kept.
      unplug(trust);
      const [next = kind] = kinds.filter((one) => one !== kind && (one === 'slipstream' || skipWithout(one) === false));
      const other = await serverFor(context, next, { config, folder });
      await (await trust.enter(other)).close();
    });

    test('clients over WebSocket and of the monitoring port are checked too', async (context) => {
      const trust = await OcspTrust.make(context);
      const server = await serverFor(context, kind, {
        config: trust.config('true', `websocket { listen: "127.0.0.1:-1", ${trust.tls('true')} }, https: "127.0.0.1:-1"`),
      });
      assert.equal(await trust.status(server.portOf('websocket')), 405);
      assert.equal(await trust.status(server.portOf('monitoring')), 200);
      await assert.rejects(trust.status(server.portOf('monitoring'), { cert: '', key: '' }));
      revoke(trust);
      const again = await serverFor(context, kind, {
        config: trust.config('true', `websocket { listen: "127.0.0.1:-1", ${trust.tls('true')} }, https: "127.0.0.1:-1"`),
      });
      await assert.rejects(trust.status(again.portOf('websocket')));
      await assert.rejects(trust.status(again.portOf('monitoring')));
      await again.waitForLog(/monitoring: TLS handshake error from 127\.0\.0\.1:\d+: client not OCSP valid/);
    });

    test('a certificate that nobody vouches for is refused before anybody is asked', async (context) => {
      const trust = await OcspTrust.make(context);
      const server = await serverFor(context, kind, { config: trust.config('{ verify: true, warn_only: true }') });
      await assert.rejects(trust.enter(server, Issued.make('client', { responders: [trust.responder.url] })));
      await server.waitForLog(
        /TLS handshake error: tls: failed to verify certificate: x509: certificate signed by unknown authority/,
      );
      assert.deepEqual([trust.responder.asked, warnings(server)], [[], []]);
    });

    test('a reload begins the checks, and ends them', async (context) => {
      const trust = await OcspTrust.make(context);
      revoke(trust);
      const server = await serverFor(context, kind, { config: trust.config('false') });
      const reload = async (policy: string, times: number): Promise<void> => {
        server.writeConfig(trust.config(policy));
        server.signal('SIGHUP');
        await server.waitForLog(new RegExp(`(Reloaded server configuration[^]*){${times}}`));
      };
      await (await trust.enter(server)).close();
      await reload('true', 1);
      await assert.rejects(trust.enter(server));
      await reload('{ verify: true, warn_only: true }', 2);
      await (await trust.enter(server)).close();
      await reload('false', 3);
      await (await trust.enter(server)).close();
      assert.deepEqual(warnings(server), [revoked, revoked, allowed]);
    });

    test('a revocation that was kept counts, although it has run out, when the responder is gone', async (context) => {
      const trust = await OcspTrust.make(context);
      trust.responder.wishes = { nextUpdateMs: Date.now() - 5_000 };
      revoke(trust);
      const config = (skew: number): string => {
        const policy = `{ verify: true, allow_when_ca_unreachable: true, allowed_clockskew: ${skew} }`;
        return trust.config(policy, 'ocsp_cache { preserve_revoked: true }');
      };
      const folder = temporaryFolder();
      const first = await serverFor(context, kind, { config: config(60), folder });
      await assert.rejects(trust.enter(first));
      await first.stop();
      unplug(trust);
      const server = await serverFor(context, kind, { config: config(1), folder });
      await assert.rejects(trust.enter(server));
      await server.waitForLog(/TLS handshake error: client not OCSP valid/);
      const text = `Failed to obtain OCSP CA response for [${CLIENT}] but AllowWhenCAUnreachable set; cached revocation exists so rejecting`;
      assert.deepEqual(warnings(server), [failed, text]);
    });
  });
}

async function varzOf(server: ServerProcess): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${server.portOf('monitoring')}/varz`);
  return (await response.json()) as Record<string, unknown>;
}
