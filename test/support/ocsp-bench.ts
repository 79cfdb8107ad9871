/**
 * What OCSP needs of a server, in memory: files, a log, a clock that the test moves, and responders that answer at once or when they are told.
 */
import type { CertificateStatus } from '../../ts/core/ocsp/answer.ts';
import { ocspDocuments } from '../../ts/node/ocsp-documents.ts';
import type { FetchRequest, FetchedAnswer, OcspPort } from '../../ts/ports/ocsp.ts';
import type { Log } from '../../ts/ports/log.ts';
import { Issued, type CertificateWishes } from './certificate-authority.ts';
import { VirtualClock } from './virtual-clock.ts';

export const responderUrl = 'http://responder';

export class OcspBench {
  readonly clock = new VirtualClock(Math.floor(Date.now() / 1000) * 1000);
  readonly files = new Map<string, Uint8Array>();
  readonly lines: string[] = [];
  readonly asked: string[] = [];
  readonly root = Issued.make('root', { authority: true });
  status: CertificateStatus = 'good';
  /** From now on. */
  nextUpdateMs: number | null = 3_600_000;
  fails = false;
  diskFails = false;
  /** What `ownCertificate` finds. */
  own: Issued | undefined;
  readonly port: OcspPort;
  readonly log: Log;

  constructor() {
    const say = (level: string) => (text: string) => void this.lines.push(`${level}: ${text}`);
    const levels = { fatal: say('fatal'), error: say('error'), warn: say('warn'), info: say('info') };
    this.log = { debugOn: true, traceOn: false, ...levels, debug: say('debug'), trace: say('trace') };
    this.port = {
      documents: () => Promise.resolve(ocspDocuments),
      fetch: (url, request) => this.#fetch(url, request),
      ownCertificate: () => {
        if (this.own === undefined) throw new Error('no certificate found');
        return { file: 'own.pem', der: this.own.der, mayPromise: true, issuer: () => this.root.der };
      },
      absolute: (path) => `/at/${path}`,
      readFile: (path) => this.files.get(path),
      writeFile: (path, content) => {
        if (this.diskFails) throw new Error('no space');
        this.files.set(path, content);
      },
    };
  }

  issue(name: string, wishes: CertificateWishes = {}): Issued {
    return this.root.issue(name, { responders: [responderUrl], ...wishes });
  }

  /** Lines of a level and above it, taken away. */
  said(...levels: readonly string[]): string[] {
    return this.lines.splice(0).filter((line) => levels.some((level) => line.startsWith(`${level}:`)));
  }

  #fetch(url: string, { body }: FetchRequest): Promise<FetchedAnswer> {
    this.asked.push(body === undefined ? 'GET' : 'POST');
    if (this.fails) return Promise.reject(new Error('nobody there'));
    const encoded = decodeURIComponent(url.slice(responderUrl.length + 1));
    const now = this.clock.wallMs();
    const wishes = { thisUpdateMs: now, nextUpdateMs: this.nextUpdateMs === null ? null : now + this.nextUpdateMs };
    const answer = this.root.answer(body ?? Buffer.from(encoded, 'base64'), () => this.status, wishes);
    return Promise.resolve({ status: 200, body: answer });
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function turns(): Promise<void> {
  for (let left = 20; left > 0; left--) await new Promise(setImmediate);
}
