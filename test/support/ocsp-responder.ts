/**
 * An OCSP responder on a port the system chose: asked with GET or POST, it answers for one authority, with the statuses it is told, in the ways a
 * responder can go wrong.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CertificateStatus } from '../../ts/core/ocsp/answer.ts';
import type { AnswerWishes, Issued } from './certificate-authority.ts';

export class OcspResponder {
  readonly url: string;
  /** Methods of the requests so far. */
  readonly asked: string[] = [];
  /** Set before anybody asks. */
  authority: Issued | undefined;
  wishes: AnswerWishes = {};
  /** Another status than 200 says nothing about certificates. */
  httpStatus = 200;
  /** Instead of an answer. */
  garbage: Buffer | undefined;
  /** Else a request with POST is a 405. */
  takesPost = true;
  /** Nobody is answered. */
  silent = false;
  readonly #statuses = new Map<string, CertificateStatus>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  static async open(context: { after(work: () => unknown): void }): Promise<OcspResponder> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const responder = new OcspResponder(server);
    context.after(() => responder.close());
    return responder;
  }

  /** A certificate nobody said anything about is unknown. */
  set(certificate: Issued, status: CertificateStatus): void {
    this.#statuses.set(certificate.serial, status);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked.push(request.method ?? '');
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (this.silent) return;
    const path = decodeURIComponent((request.url ?? '/').slice(1));
    const asked = request.method === 'POST' ? Buffer.concat(parts) : Buffer.from(path, 'base64');
    const body = this.garbage ?? this.authority?.answer(asked, (serial) => this.#statuses.get(serial) ?? 'unknown', this.wishes);
    response.writeHead(request.method === 'POST' && !this.takesPost ? 405 : this.httpStatus, {
      'Content-Type': 'application/ocsp-response',
    });
    response.end(body);
  }
}
