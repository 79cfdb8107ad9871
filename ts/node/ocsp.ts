// The OCSP port on Node: what reads documents loads at first use, responders are asked over HTTP, answers lie in files.

import type { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { OcspPort, OwnCertificate } from '../ports/ocsp.ts';
import type { TlsSettings } from '../ports/listen.ts';
import { readIfThere, replaceFile } from './durable-file.ts';
import { fetchDocument } from './fetch.ts';
import { certificatesOf, systemCertificates, verifiedChains } from './verified-chains.ts';

/** The object identifier of the extension that promises a stapled status, as DER has it. */
const promise = Buffer.from('06082b06010505070118', 'hex');
const REQUEST_HEADERS = { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' };

/** The certificate behind ours in its file, or the one of the authorities that leads to a trusted one. */
function issuerOf([own, next]: readonly X509Certificate[], caFile: string): X509Certificate {
  if (own === undefined) throw new Error('no issuers found');
  if (next !== undefined && !own.verify(next.publicKey)) throw new Error('no issuers found');
  const trusted = caFile === '' ? systemCertificates() : certificatesOf(readFileSync(caFile));
  const issuer = next ?? verifiedChains(own, [], trusted, Date.now())[0]?.[1];
  if (issuer === undefined) throw new Error('no issuers found');
  if (!issuer.ca) throw new Error(`${issuer.subject.split('\n').toReversed().join(',')} invalid ca basic constraints: is not ca`);
  return issuer;
}

function ownCertificate(tls: TlsSettings): OwnCertificate {
  const { certFile: file } = tls.certs[0] ?? tls;
  const chain = certificatesOf(readFileSync(file));
  const [own] = chain;
  if (own === undefined) throw new Error('no certificate found');
  return { file, der: own.raw, mayPromise: own.raw.includes(promise), issuer: () => issuerOf(chain, tls.caFile).raw };
}

function writeFile(path: string, content: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  replaceFile(path, content);
}

export const nodeOcsp: OcspPort = {
  documents: async () => (await import('./ocsp-documents.ts')).ocspDocuments,
  fetch: (url, { timeoutMs, body }) => fetchDocument(url, { timeoutMs, ...(body && { body, headers: REQUEST_HEADERS }) }),
  ownCertificate,
  absolute: (path) => resolve(path),
  readFile: readIfThere,
  writeFile,
};
