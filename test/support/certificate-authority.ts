/**
 * Certificates made while a test runs, since what they name (responders on ports the system chose) is not known before: authorities, those they
 * sign, and the answers they give about them.
 */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import {
  BasicOCSPResponse,
  CertStatus,
  id_kp_OCSPSigning,
  id_pkix_ocsp_basic,
  OCSPRequest,
  OCSPResponse,
  OCSPResponseStatus,
  ResponderID,
  ResponseBytes,
  ResponseData,
  RevokedInfo,
  SingleResponse,
} from '@peculiar/asn1-ocsp';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AccessDescription,
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityInfoAccessSyntax,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ad_ocsp,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_subjectAltName,
  id_pe_authorityInfoAccess,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import type { CertificateStatus } from '../../ts/core/ocsp/answer.ts';

const ecdsaWithSha256 = new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' });
const TLS_FEATURES = '1.3.6.1.5.5.7.1.24';
/** Times of answers have no fractions. */
const wholeSecond = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);
const nameTypes = { CN: '2.5.4.3', O: '2.5.4.10' } as const;

export interface CertificateWishes {
  /** Where its status is to be had. */
  readonly responders?: readonly string[];
  readonly authority?: boolean;
  /** It may sign answers for its issuer. */
  readonly signsAnswers?: boolean;
  readonly mustStaple?: boolean;
}

function nameOf(parts: Readonly<Partial<Record<keyof typeof nameTypes, string>>>): Name {
  return new Name(
    Object.entries(parts).map(([kind, value]) => {
      const type = nameTypes[kind as keyof typeof nameTypes];
      return new RelativeDistinguishedName([
        new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: value }) }),
      ]);
    }),
  );
}

function extension(extnID: string, value: unknown, critical = false): Extension {
  const bytes = value instanceof Uint8Array ? new Uint8Array(value).buffer : AsnConvert.serialize(value);
  return new Extension({ extnID, critical, extnValue: new OctetString(bytes) });
}

function extensionsOf({ responders = [], authority = false, signsAnswers, mustStaple }: CertificateWishes): Extensions {
  const places = responders.map(
    (url) =>
      new AccessDescription({ accessMethod: id_ad_ocsp, accessLocation: new GeneralName({ uniformResourceIdentifier: url }) }),
  );
  return new Extensions([
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: authority }), true),
    extension(
      id_ce_subjectAltName,
      new SubjectAlternativeName([new GeneralName({ iPAddress: '127.0.0.1' }), new GeneralName({ dNSName: 'localhost' })]),
    ),
    ...(places.length === 0 ? [] : [extension(id_pe_authorityInfoAccess, new AuthorityInfoAccessSyntax(places))]),
    ...(signsAnswers ? [extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_OCSPSigning]))] : []),
    ...(mustStaple ? [extension(TLS_FEATURES, Buffer.from('3003020105', 'hex'))] : []),
  ]);
}

export interface AnswerWishes {
  readonly thisUpdateMs?: number;
  /** Null: the answer does not say. */
  readonly nextUpdateMs?: number | null;
  /** Who signs instead of the issuer; the certificate goes along. */
  readonly signer?: Issued;
}

/** A certificate with its key; one that is an authority signs others. */
export class Issued {
  readonly certificate: Certificate;
  readonly der: Buffer;
  readonly #key: KeyObject | undefined;

  /** Without a key: somebody else's. */
  constructor(der: Uint8Array, key?: KeyObject) {
    this.certificate = AsnConvert.parse(der, Certificate);
    this.der = Buffer.from(der);
    this.#key = key;
  }

  get key(): KeyObject {
    assert.ok(this.#key, 'the key is not here');
    return this.#key;
  }

  get commonName(): string {
    const parts = [...this.certificate.tbsCertificate.subject].flatMap((part) => [...part]);
    return parts.find(({ type }) => type === nameTypes.CN)?.value.toString() ?? '';
  }

  static make(commonName: string, wishes: CertificateWishes = {}, issuer?: Issued): Issued {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const subject = nameOf({ O: 'Slipstream', CN: commonName });
    const now = Date.now();
    const tbsCertificate = new TBSCertificate({
      version: Version.v3,
      serialNumber: new Uint8Array(Buffer.concat([Buffer.from([1]), randomBytes(8)])).buffer,
      signature: ecdsaWithSha256,
      issuer: issuer?.certificate.tbsCertificate.subject ?? subject,
      validity: new Validity({ notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 86_400_000) }),
      subject,
      subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ format: 'der', type: 'spki' }), SubjectPublicKeyInfo),
      extensions: extensionsOf(wishes),
    });
    return Issued.#signed(tbsCertificate, privateKey, issuer?.key ?? privateKey);
  }

  static #signed(tbsCertificate: TBSCertificate, key: KeyObject, by: KeyObject): Issued {
    const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), by);
    const signatureValue = new Uint8Array(signature).buffer;
    const certificate = new Certificate({ tbsCertificate, signatureAlgorithm: ecdsaWithSha256, signatureValue });
    return new Issued(new Uint8Array(AsnConvert.serialize(certificate)), key);
  }

  /** The same name and key, from another authority. */
  signedAnewBy(issuer: Issued): Issued {
    const { tbsCertificate } = new Issued(this.der).certificate;
    tbsCertificate.issuer = issuer.certificate.tbsCertificate.subject;
    return Issued.#signed(tbsCertificate, this.key, issuer.key);
  }

  issue(commonName: string, wishes: CertificateWishes = {}): Issued {
    return Issued.make(commonName, wishes, this);
  }

  get pem(): string {
    return new X509Certificate(this.der).toString();
  }

  get keyPem(): string {
    return this.key.export({ format: 'pem', type: 'pkcs8' }) as string;
  }

  get serial(): string {
    return Buffer.from(this.certificate.tbsCertificate.serialNumber).toString('hex');
  }

  /** What servers call it by. */
  get fingerprint(): string {
    return createHash('sha256').update(this.der).digest('base64');
  }

  /** `name.pem` with those above it, and `name-key.pem`. */
  write(folder: string, name: string, ...above: readonly Issued[]): { readonly cert: string; readonly key: string } {
    const cert = join(folder, `${name}.pem`);
    const key = join(folder, `${name}-key.pem`);
    writeFileSync(cert, [this, ...above].map(({ pem }) => pem).join(''));
    writeFileSync(key, this.keyPem);
    return { cert, key };
  }

  /** What this authority answers to a request, or to several at once: `statusOf` gets the number of the certificate asked about. */
  answer(
    request: Uint8Array | readonly Uint8Array[],
    statusOf: (serial: string) => CertificateStatus,
    wishes: AnswerWishes = {},
  ): Buffer {
    const now = Date.now();
    const { thisUpdateMs = now - 60_000, nextUpdateMs = now + 3_600_000, signer } = wishes;
    const requests = request instanceof Uint8Array ? [request] : request;
    const requestList = requests.flatMap((one) => AsnConvert.parse(one, OCSPRequest).tbsRequest.requestList);
    const statuses = {
      good: new CertStatus({ good: null }),
      unknown: new CertStatus({ unknown: null }),
      revoked: new CertStatus({ revoked: new RevokedInfo({ revocationTime: wholeSecond(now - 120_000) }) }),
    };
    const responses = requestList.map(({ reqCert }) => {
      const certStatus = statuses[statusOf(Buffer.from(reqCert.serialNumber).toString('hex'))];
      const single = { certID: reqCert, certStatus, thisUpdate: wholeSecond(thisUpdateMs) };
      return new SingleResponse({ ...single, ...(nextUpdateMs !== null && { nextUpdate: wholeSecond(nextUpdateMs) }) });
    });
    const { subjectPublicKey } = (signer ?? this).certificate.tbsCertificate.subjectPublicKeyInfo;
    const byKey = new OctetString(createHash('sha1').update(new Uint8Array(subjectPublicKey)).digest());
    const tbsResponseData = new ResponseData({
      responderID: new ResponderID({ byKey }),
      producedAt: wholeSecond(now),
      responses,
    });
    const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbsResponseData)), (signer ?? this).key);
    const basic = new BasicOCSPResponse({
      tbsResponseData,
      signatureAlgorithm: ecdsaWithSha256,
      signature: new Uint8Array(signature).buffer,
      ...(signer && { certs: [signer.certificate] }),
    });
    const response = new OctetString(AsnConvert.serialize(basic));
    const responseBytes = new ResponseBytes({ responseType: id_pkix_ocsp_basic, response });
    return Buffer.from(AsnConvert.serialize(new OCSPResponse({ responseStatus: OCSPResponseStatus.successful, responseBytes })));
  }
}
