/**
 * A root, an authority below it that signs clients, a responder for each of the two, and a server's configuration that trusts them: what tests of
 * `ocsp_peer` have in common.
 */
import { request } from 'node:https';
import { join } from 'node:path';
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { Issued } from './certificate-authority.ts';
import { OcspResponder } from './ocsp-responder.ts';
import type { ServerProcess } from './server.ts';
import { temporaryFolder } from './temporary.ts';

interface TestContext {
  after(work: () => unknown): void;
}

export class OcspTrust {
  readonly folder = temporaryFolder();
  readonly root = Issued.make('root', { authority: true });
  readonly rootResponder: OcspResponder;
  readonly responder: OcspResponder;
  readonly intermediate: Issued;
  readonly client: Issued;
  /** Nobody can be asked about it. */
  readonly silent: Issued;

  private constructor(rootResponder: OcspResponder, responder: OcspResponder) {
    this.rootResponder = rootResponder;
    this.responder = responder;
    this.intermediate = this.root.issue('intermediate', { authority: true, responders: [rootResponder.url] });
    this.client = this.intermediate.issue('client', { responders: [`${responder.url}/`] });
    this.silent = this.root.issue('silent');
    rootResponder.authority = this.root;
    responder.authority = this.intermediate;
    rootResponder.set(this.intermediate, 'good');
    responder.set(this.client, 'good');
    this.root.write(this.folder, 'root');
    this.root.issue('server').write(this.folder, 'server');
  }

  static async make(context: TestContext): Promise<OcspTrust> {
    return new OcspTrust(await OcspResponder.open(context), await OcspResponder.open(context));
  }

  tls(ocspPeer: string): string {
    const file = (name: string): string => JSON.stringify(join(this.folder, `${name}.pem`));
    return `tls {
      cert_file: ${file('server')}, key_file: ${file('server-key')}, ca_file: ${file('root')}
      verify: true, timeout: 5, ocsp_peer: ${ocspPeer}
    }`;
  }

  config(ocspPeer: string, more = ''): string {
    return `
      ${this.tls(ocspPeer)}
      system_account: SYS
      accounts { SYS { users: [ { user: s, password: s } ] }, A { users: [ { user: a, password: a } ] } }
      ${more}`;
  }

  /** Of an HTTP request that begins no WebSocket. */
  status(port: number, certificate?: { readonly cert: string; readonly key: string }): Promise<number | undefined> {
    const mine = certificate ?? { cert: this.client.pem + this.intermediate.pem, key: this.client.keyPem };
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, ca: this.root.pem, method: 'HEAD', agent: false, ...mine }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  enter(server: ServerProcess, who: Issued = this.client, user = 'a'): Promise<NatsConnection> {
    const cert = [who, ...(who === this.client ? [this.intermediate] : [])].map(({ pem }) => pem).join('');
    const tls = { ca: this.root.pem, cert, key: who.keyPem };
    const options: NodeConnectionOptions = { servers: server.url, user, pass: user, reconnect: false, tls };
    return connect(options);
  }
}
