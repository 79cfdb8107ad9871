// What a TLS connection agreed on and who the peer is, in the words of the connection port.
import { X509Certificate, createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate, TransportTls } from '../ports/connection.ts';

/** Node prints one `TYPE=value` a line, in the order of the certificate; RFC 2253 wants them last first. */
function distinguishedName(subject: string | undefined): string {
  return (subject ?? '').split('\n').filter(Boolean).toReversed().join(',');
}

interface AlternativeNames {
  readonly emails: string[];
  readonly dnsNames: string[];
  readonly uris: string[];
}

const namePattern = /(email|DNS|URI):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;

function alternativeNames(text: string | undefined): AlternativeNames {
  const names: AlternativeNames = { emails: [], dnsNames: [], uris: [] };
  const lists: Record<string, string[]> = { email: names.emails, DNS: names.dnsNames, URI: names.uris };
  for (const [, type = '', value = ''] of (text ?? '').matchAll(namePattern)) {
    lists[type]?.push(value.startsWith('"') ? (JSON.parse(value) as string) : value);
  }
  return names;
}

const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function peerCertificate(der: Uint8Array): PeerCertificate {
  const parsed = new X509Certificate(der);
  return {
    subject: distinguishedName(parsed.subject),
    ...alternativeNames(parsed.subjectAltName),
    spkiSha256: sha256Hex(parsed.publicKey.export({ format: 'der', type: 'spki' })),
    certSha256: sha256Hex(parsed.raw),
    der: parsed.raw,
  };
}

export function agreedTls(socket: TLSSocket, handshakeFirst: boolean): TransportTls {
  const raw = socket.getPeerCertificate(false).raw as Buffer | undefined;
  return {
    version: (socket.getProtocol() ?? '').replace('TLSv', ''),
    cipher: socket.getCipher().standardName,
    peerCertificates: raw === undefined ? [] : [peerCertificate(raw)],
    handshakeFirst,
  };
}
