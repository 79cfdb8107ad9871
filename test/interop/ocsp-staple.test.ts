/**
 * The status of the server's own certificate: shown in handshakes, kept in the store directory, and a reason not to start or to end, on both
 * servers.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import { Issued, type CertificateWishes } from '../support/certificate-authority.ts';
import { OcspResponder } from '../support/ocsp-responder.ts';
import { skipWithout } from '../support/peers.ts';
import { ServerProcess, serverFor, type ServerKind } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface TestContext {
  after(work: () => unknown): void;
}

class Trust {
  readonly folder = temporaryFolder();
  readonly root = Issued.make('root', { authority: true });
  readonly responder: OcspResponder;
  readonly server: Issued;

  private constructor(responder: OcspResponder, wishes: CertificateWishes) {
    this.responder = responder;
    this.server = this.root.issue('server', { responders: [responder.url], ...wishes });
    responder.authority = this.root;
    responder.set(this.server, 'good');
    this.root.write(this.folder, 'root');
    this.server.write(this.folder, 'server');
  }

  static async make(context: TestContext, wishes: CertificateWishes): Promise<Trust> {
    return new Trust(await OcspResponder.open(context), wishes);
  }

  config(more = ''): string {
    const file = (name: string): string => JSON.stringify(join(this.folder, name));
    return `
      tls { cert_file: ${file('server.pem')}, key_file: ${file('server-key.pem')}, ca_file: ${file('root.pem')}, handshake_first: true }
      store_dir: ${file('store')}
      ${more}`;
  }

  /** What a client is shown that asks for a status; undefined: nothing. */
  shown(server: ServerProcess): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      const options: ConnectionOptions & { requestOCSP: true } = { ca: this.root.pem, requestOCSP: true };
      const socket = connect(server.port, '127.0.0.1', options);
      socket.once('error', reject);
      socket.once('OCSPResponse', (staple: Buffer | null) => {
        socket.destroy();
        resolve(staple === null || staple.length === 0 ? undefined : staple);
      });
    });
  }

  /** The file that keeps what was answered. */
  get kept(): string {
    return join(this.folder, 'store', 'ocsp', Buffer.from(this.server.fingerprint, 'base64').toString('hex'));
  }
}

/** Lines about the status, without times. */
function lines({ log }: ServerProcess): string[] {
  return [...log.matchAll(/\[(INF|WRN|ERR)\] (.*(?:OCSP|MustStaple).*)/g)].map(([, level = '', text = '']) =>
    `${level} ${text}`.replace(/'[^']*'/, 'FILE').replace(/, next update .*/, ''),
  );
}

const found = ['INF OCSP Stapling enabled for Client connections', 'INF Found OCSP status for Client certificate at FILE: good'];
const stapled: readonly (readonly [
  name: string,
  wishes: CertificateWishes,
  config: string,
  shown: boolean,
  lines: readonly string[],
])[] = [
  ['a certificate that promises its status is shown with it', { mustStaple: true }, '', true, found],
  ['one that does not is shown alone', {}, 'ocsp: true', false, []],
  ['unless always is asked for', {}, 'ocsp { mode: always }', true, found],
  ['must shows what is promised', { mustStaple: true }, 'ocsp { mode: must }', true, found],
  ['must shows no more than that', {}, 'ocsp { mode: must }', false, []],
  [
    'never breaks the promise, and says so',
    { mustStaple: true },
    'ocsp: false',
    false,
    ['WRN Certificate at FILE has MustStaple but OCSP is disabled'],
  ],
];

/** Why a server does not start. */
const refused: readonly (readonly [name: string, mode: string, before: (trust: Trust) => void, why: RegExp])[] = [
  [
    'revoked',
    'always',
    (trust) => trust.responder.set(trust.server, 'revoked'),
    /found existing OCSP status for certificate at '.*server\.pem': revoked/,
  ],
  [
    'unknown',
    'must',
    (trust) => trust.responder.set(trust.server, 'unknown'),
    /found existing OCSP status for certificate at '.*server\.pem': unknown/,
  ],
  [
    'not to be had',
    'auto',
    (trust) => trust.responder.close(),
    /bad OCSP status update for certificate at '.*server\.pem': exhausted ocsp servers: /,
  ],
];

const kinds: readonly ServerKind[] = ['slipstream', 'nats-server'];

for (const kind of kinds) {
  describe(`the status of ${kind}'s own certificate`, { skip: kind === 'nats-server' && skipWithout('nats-server') }, () => {
    for (const [name, wishes, more, shown, said] of stapled) {
      test(name, async (context) => {
        const trust = await Trust.make(context, wishes);
        const server = await serverFor(context, kind, { config: trust.config(more) });
        const staple = await trust.shown(server);
        assert.equal(staple !== undefined, shown);
        // The line may come behind the one that says that the server is ready.
        if (shown) await server.waitForLog(/Found OCSP status/);
        // What nats-server warns of before its log is open, nobody reads.
        assert.deepEqual(lines(server), kind === 'slipstream' ? said : said.filter((line) => !line.startsWith('WRN')));
        assert.deepEqual(trust.responder.asked, shown ? ['POST'] : []);
        assert.deepEqual(existsSync(trust.kept) ? readFileSync(trust.kept) : undefined, staple);
      });
    }

    for (const [status, mode, before, why] of refused) {
      test(`a server whose certificate's status is ${status} does not start with ${mode}`, async (context) => {
        const trust = await Trust.make(context, { mustStaple: true });
        before(trust);
        const server = ServerProcess.run(kind, ['-a', '127.0.0.1', '-p', '-1'], {
          config: trust.config(`ocsp { mode: ${mode} }`),
        });
        context.after(() => server.kill());
        assert.equal((await server.exited).code, 1);
        assert.match(server.log, why);
      });
    }

    test('what was kept is shown while the responder is gone', async (context) => {
      const trust = await Trust.make(context, { mustStaple: true });
      const first = await serverFor(context, kind, { config: trust.config() });
      const staple = await trust.shown(first);
      await first.kill();
      trust.responder.close();
      const server = await serverFor(context, kind, { config: trust.config() });
      assert.deepEqual(await trust.shown(server), staple);
    });

    test('the responder of the options is asked, with GET where POST is not understood', async (context) => {
      const trust = await Trust.make(context, { mustStaple: true, responders: [] });
      trust.responder.takesPost = false;
      const server = await serverFor(context, kind, {
        config: trust.config(`ocsp { mode: auto, url: "${trust.responder.url}/" }`),
      });
      assert.notEqual(await trust.shown(server), undefined);
      assert.deepEqual(trust.responder.asked, ['POST', 'GET']);
    });

    test('a server ends when its certificate is revoked', async (context) => {
      const trust = await Trust.make(context, {});
      trust.responder.wishes = { nextUpdateMs: Date.now() + 5_000 };
      const server = await serverFor(context, kind, { config: trust.config('ocsp { mode: always }, http: "127.0.0.1:-1"') });
      trust.responder.set(trust.server, 'revoked');
      assert.equal((await server.exited).code, 0);
      assert.match(server.log, /\[ERR\] Received OCSP status for Client certificate '.*server\.pem': revoked/);
    });
  });
}
