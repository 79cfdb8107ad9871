// OCSP requests and answers, and what certificates say about their responders, read and made with the @peculiar packages; signatures by node:crypto.
// It is bundled as a file of its own, loaded by the first who needs it.
// Kept true: an answer counts when the issuer signed it, or a certificate that the issuer made for signing answers; and when it is about the very
// certificate that was asked about (nats-server takes an answer about any certificate of the issuer).

import { X509Certificate, createHash, verify } from 'node:crypto';
import {
  CertID,
  OCSPRequest,
  OCSPResponse,
  OCSPResponseStatus,
  Request,
  ResponseData,
  TBSRequest,
  id_kp_OCSPSigning,
  id_pkix_ocsp_basic,
} from '@peculiar/asn1-ocsp';
import type { SingleResponse } from '@peculiar/asn1-ocsp';
import { AsnConvert, AsnProp, AsnPropTypes, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AuthorityInfoAccessSyntax,
  Certificate,
  ExtendedKeyUsage,
  id_ad_ocsp,
  id_ce_extKeyUsage,
  id_pe_authorityInfoAccess,
} from '@peculiar/asn1-x509';
import type { Name } from '@peculiar/asn1-x509';
import type { CertificateFacts, ChainLink, OcspAnswer, ReadAnswer } from '../core/ocsp/answer.ts';
import { distinguishedName } from '../core/ocsp/distinguished-name.ts';
import type { OcspDocuments } from '../ports/ocsp.ts';
import { messageOf } from '../lib/message-of.ts';

const hashes: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const SHA1 = '1.3.14.3.2.26';

/** Hash of each algorithm of signatures; null where the algorithm has its own. */
const signatures: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.1': 'sha1',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};

const refusals: Readonly<Record<number, string>> = {
  [OCSPResponseStatus.malformedRequest]: 'malformed',
  [OCSPResponseStatus.internalError]: 'internal error',
  [OCSPResponseStatus.tryLater]: 'try later',
  [OCSPResponseStatus.sigRequired]: 'signature required',
  [OCSPResponseStatus.unauthorized]: 'unauthorized',
};

const TLS_FEATURES = '1.3.6.1.5.5.7.1.24';
/** SEQUENCE of one INTEGER, 5: the client may ask for a status. */
const STATUS_REQUEST = '3003020105';

class Unreadable extends Error {}
class NotDelegated extends Error {}

/** As `BasicOCSPResponse`, with what was signed and who signed as the bytes that came: written anew they might differ. */
class SignedAnswer {
  tbsResponseData = new ArrayBuffer(0);
  signatureAlgorithm = new AlgorithmIdentifier();
  signature = new ArrayBuffer(0);
  certs?: ArrayBuffer[];
}
AsnProp({ type: AsnPropTypes.Any })(SignedAnswer.prototype, 'tbsResponseData');
AsnProp({ type: AlgorithmIdentifier })(SignedAnswer.prototype, 'signatureAlgorithm');
AsnProp({ type: AsnPropTypes.BitString })(SignedAnswer.prototype, 'signature');
AsnProp({ type: AsnPropTypes.Any, repeated: 'sequence', optional: true, context: 0 })(SignedAnswer.prototype, 'certs');

const digest = (hash: string, bytes: ArrayBuffer): Buffer => createHash(hash).update(new Uint8Array(bytes)).digest();

function parsed(der: Uint8Array): Certificate {
  return AsnConvert.parse(der, Certificate);
}

function extension(certificate: Certificate, type: string): ArrayBuffer | undefined {
  return certificate.tbsCertificate.extensions?.find(({ extnID }) => extnID === type)?.extnValue.buffer;
}

function nameOf(name: Name): string {
  const attributes = [...name].flatMap((set) => [...set]);
  return distinguishedName(attributes.map(({ type, value }) => ({ type, value: value.toString() })));
}

function isWebAddress(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

function responders(certificate: Certificate): string[] {
  const value = extension(certificate, id_pe_authorityInfoAccess);
  if (value === undefined) return [];
  return [...AsnConvert.parse(value, AuthorityInfoAccessSyntax)]
    .filter(({ accessMethod }) => accessMethod === id_ad_ocsp)
    .map(({ accessLocation }) => accessLocation.uniformResourceIdentifier ?? '')
    .filter(isWebAddress);
}

/** What identifies a certificate, and those it signs. */
interface Details {
  readonly serialNumber: ArrayBuffer;
  readonly name: ArrayBuffer;
  readonly key: ArrayBuffer;
}

/** Authorities, and clients that come again, are read once: reading one takes 0.2 ms. */
const MOST_REMEMBERED = 1_000;
const remembered = new Map<string, CertificateFacts>();
const detailsOf = new WeakMap<CertificateFacts, Details>();

function facts(der: Uint8Array): CertificateFacts {
  const fingerprint = createHash('sha256').update(der).digest('base64');
  const known = remembered.get(fingerprint);
  if (known !== undefined) return known;
  const certificate = parsed(der);
  const { subject, issuer } = certificate.tbsCertificate;
  const read = { der, subject: nameOf(subject), issuer: nameOf(issuer), fingerprint, responders: responders(certificate) };
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  remembered.set(fingerprint, read);
  return read;
}

function details(of: CertificateFacts): Details {
  const known = detailsOf.get(of);
  if (known !== undefined) return known;
  const { serialNumber, subject, subjectPublicKeyInfo } = parsed(of.der).tbsCertificate;
  const read = { serialNumber, name: AsnConvert.serialize(subject), key: subjectPublicKeyInfo.subjectPublicKey };
  detailsOf.set(of, read);
  return read;
}

function mustStaple(der: Uint8Array): boolean {
  const value = extension(parsed(der), TLS_FEATURES);
  return value !== undefined && Buffer.from(value).toString('hex') === STATUS_REQUEST;
}

/** A certificate is called by hashes of its issuer's name and key, and its number. */
function request({ leaf, issuer }: ChainLink): Uint8Array {
  const { name, key } = details(issuer);
  const reqCert = new CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: SHA1, parameters: null }),
    issuerNameHash: new OctetString(digest('sha1', name)),
    issuerKeyHash: new OctetString(digest('sha1', key)),
    serialNumber: details(leaf).serialNumber,
  });
  const tbsRequest = new TBSRequest({ requestList: [new Request({ reqCert })] });
  return new Uint8Array(AsnConvert.serialize(new OCSPRequest({ tbsRequest })));
}

function isAbout({ certID }: SingleResponse, { leaf, issuer }: ChainLink): boolean {
  const hash = hashes[certID.hashAlgorithm.algorithm];
  if (hash === undefined) throw new Unreadable('unsupported issuer hash algorithm');
  if (!Buffer.from(certID.serialNumber).equals(Buffer.from(details(leaf).serialNumber))) return false;
  return digest(hash, details(issuer).key).equals(Buffer.from(certID.issuerKeyHash.buffer));
}

function signedAnswer(raw: Uint8Array): SignedAnswer {
  const { responseStatus, responseBytes } = AsnConvert.parse(raw, OCSPResponse);
  if (responseStatus !== OCSPResponseStatus.successful) {
    throw new Unreadable(`ocsp: error from server: ${refusals[responseStatus] ?? `unknown OCSP status: ${responseStatus}`}`);
  }
  if (responseBytes?.responseType !== id_pkix_ocsp_basic) throw new Unreadable('bad OCSP response type');
  return AsnConvert.parse(responseBytes.response.buffer, SignedAnswer);
}

/** Who signed: the issuer, or the first certificate that came along. */
function signerOf({ certs }: SignedAnswer, issuer: X509Certificate): X509Certificate {
  const [first] = certs ?? [];
  if (first === undefined) return issuer;
  const signer = new X509Certificate(Buffer.from(first));
  if (signer.raw.equals(issuer.raw)) return issuer;
  if (!signer.verify(issuer.publicKey)) throw new Unreadable('bad OCSP signature: the signer is not of the issuer');
  const usage = extension(parsed(signer.raw), id_ce_extKeyUsage);
  const uses = usage === undefined ? [] : [...AsnConvert.parse(usage, ExtendedKeyUsage)];
  if (!uses.includes(id_kp_OCSPSigning)) throw new NotDelegated();
  return signer;
}

function checkSignature(answer: SignedAnswer, signer: X509Certificate): void {
  const { algorithm } = answer.signatureAlgorithm;
  const hash = signatures[algorithm];
  if (hash === undefined) throw new Unreadable(`bad OCSP signature: unknown algorithm ${algorithm}`);
  if (!verify(hash, Buffer.from(answer.tbsResponseData), signer.publicKey, Buffer.from(answer.signature))) {
    throw new Unreadable('bad OCSP signature: verification failure');
  }
}

function answerOf(raw: Uint8Array, link: ChainLink): OcspAnswer {
  const signed = signedAnswer(raw);
  checkSignature(signed, signerOf(signed, new X509Certificate(link.issuer.der)));
  const { responses } = AsnConvert.parse(signed.tbsResponseData, ResponseData);
  const single = responses.find((response) => isAbout(response, link));
  if (single === undefined) throw new Unreadable('no response matching the supplied certificate');
  if (single.singleExtensions?.some(({ critical }) => critical)) throw new Unreadable('unsupported critical extension');
  const { certStatus, thisUpdate, nextUpdate } = single;
  const status = certStatus.revoked !== undefined ? 'revoked' : certStatus.good === undefined ? 'unknown' : 'good';
  return { status, thisUpdateMs: thisUpdate.getTime(), nextUpdateMs: nextUpdate?.getTime(), raw };
}

function read(raw: Uint8Array, link: ChainLink): ReadAnswer {
  try {
    return { kind: 'answer', answer: answerOf(raw, link) };
  } catch (error) {
    if (error instanceof NotDelegated) return { kind: 'delegation' };
    return { kind: 'unreadable', why: messageOf(error) };
  }
}

export const ocspDocuments: OcspDocuments = { facts, mustStaple, request, read };
