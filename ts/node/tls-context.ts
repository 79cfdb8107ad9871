// From a `tls` block to what node:tls wants: files read and checked, Go's names for ciphers and curves turned into OpenSSL's.
// Kept true: a block whose files cannot be used throws one line that names the file, before anything listens.
import { X509Certificate, constants, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions, Server } from 'node:tls';
import type { CertificateFiles, TlsSettings } from '../ports/listen.ts';
import { certificatesOf, systemCertificates } from './verified-chains.ts';
import { messageOf } from '../lib/message-of.ts';

/** Go's names; those of TLS 1.3 are OpenSSL's too. */
const opensslCiphers: Readonly<Record<string, string>> = {
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
};

/** What OpenSSL has no more; it is passed over. */
const withoutCipher = /_(RC4_128|3DES_EDE_CBC)_SHA$/;

/** The hybrid post-quantum groups need an OpenSSL newer than some supported Nodes have; a list with only those is Node's own choice. */
const opensslCurves: Readonly<Record<string, string>> = {
  X25519: 'X25519',
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
};

const TLS13_DEFAULT = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
const TLS12_DEFAULT = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export interface LoadedTls {
  readonly context: SecureContext;
  readonly options: SecureContextOptions;
  readonly notAfterMs: number | undefined;
  /** Which certificate a client gets that asks for a name; absent where there is one for all. */
  readonly SNICallback?: (name: string, done: (error: null, context: SecureContext) => void) => void;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const cause = code === 'ENOENT' ? 'no such file or directory' : code === 'EACCES' ? 'permission denied' : String(error);
    throw new Error(`open ${path}: ${cause}`);
  }
}

interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly parsed: X509Certificate;
}

function readPair(files: CertificateFiles): Pair {
  try {
    const cert = read(files.certFile);
    const key = read(files.keyFile);
    const parsed = new X509Certificate(cert);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error('tls: private key does not match public key');
    return { cert, key, parsed };
  } catch (error) {
    throw new Error(`error parsing X509 certificate/key pair: ${messageOf(error)}`);
  }
}

function cipherList(names: readonly string[]): string {
  if (names.length === 0) return `${TLS13_DEFAULT}:${TLS12_DEFAULT}`;
  const known = names
    .filter((name) => !withoutCipher.test(name))
    .map((name) => {
      const cipher = opensslCiphers[name];
      if (cipher === undefined) throw new Error(`unrecognized cipher ${name}`);
      return cipher;
    });
  if (known.length === 0) throw new Error(`no cipher suite to be had of ${names.join(', ')}`);
  const has13 = known.some((name) => name.startsWith('TLS_'));
  return has13 ? known.join(':') : `${TLS13_DEFAULT}:${known.join(':')}`;
}

function curveList(names: readonly string[]): string {
  const known = names.map((name) => opensslCurves[name]).filter((name) => name !== undefined);
  return known.length === 0 ? 'auto' : known.join(':');
}

/** The first pair of each kind of key: OpenSSL keeps no more of them in one context. */
function firstOfEachKind(pairs: readonly Pair[]): readonly Pair[] {
  const kinds = new Map<string | undefined, Pair>();
  for (const pair of pairs) {
    const kind = pair.parsed.publicKey.asymmetricKeyType;
    if (!kinds.has(kind)) kinds.set(kind, pair);
  }
  return [...kinds.values()];
}

/** Of several pairs those count that are for the name the client asks for, and all where none is. */
function chooser(pairs: readonly Pair[], common: SecureContextOptions): LoadedTls['SNICallback'] {
  if (pairs.length < 2) return undefined;
  const contexts = new Map<string, SecureContext>();
  return (name, done) => {
    const meant = pairs.filter(({ parsed }) => parsed.checkHost(name) !== undefined);
    const key = meant.map((pair) => pairs.indexOf(pair)).join();
    const context = contexts.get(key) ?? createSecureContext(withPairs(meant.length === 0 ? pairs : meant, common));
    contexts.set(key, context);
    done(null, context);
  };
}

function withPairs(pairs: readonly Pair[], common: SecureContextOptions): SecureContextOptions {
  const used = firstOfEachKind(pairs);
  return { ...common, cert: used.map(({ cert }) => cert), key: used.map(({ key }) => key) };
}

/**
 * Who may have signed the certificate of the other side: whom the system trusts where no file says, nobody where it is not asked for one. OpenSSL
 * would send what it knows of the authorities behind our own certificate, and nats-server sends no more than its file holds.
 */
function authorities({ caFile, verify, verifyAndMap }: TlsSettings): { readonly ca?: Buffer[] } {
  const named = caFile === '' ? undefined : { ca: [read(caFile)] };
  return verify || verifyAndMap ? (named ?? {}) : { ca: [] };
}

interface ServerInside {
  readonly _sharedCreds?: { readonly context?: { setAllowPartialTrustChain?(): void } };
}

/** Node's server does not hand `allowPartialTrustChain` on to the context it makes; where the door is closed, chains must be whole. */
export function trustPartialChains(server: Server): void {
  (server as unknown as ServerInside)._sharedCreds?.context?.setAllowPartialTrustChain?.();
}

/** Certificates that end a peer's chain. */
export function trustedCertificates({ caFile }: TlsSettings): readonly X509Certificate[] {
  return caFile === '' ? systemCertificates() : certificatesOf(read(caFile));
}

/** Reads every file of the block; throws one line when something cannot be used. */
export function loadTls(tls: TlsSettings): LoadedTls {
  const pairs = (tls.certs.length > 0 ? tls.certs : [tls]).map(readPair);
  const common: SecureContextOptions = {
    minVersion: tls.minVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: cipherList(tls.cipherSuites),
    ecdhCurve: curveList(tls.curvePreferences),
    honorCipherOrder: true,
    // As in Go, every certificate of the file is trusted, also one that has an issuer itself.
    allowPartialTrustChain: true,
    ...authorities(tls),
    // A session that is taken up again does not say by which certificates the peer was verified.
    ...(tls.ocspPeer?.verify && { secureOptions: constants.SSL_OP_NO_TICKET }),
  };
  const options = withPairs(pairs, common);
  const [first] = pairs;
  const SNICallback = chooser(pairs, common);
  return {
    context: createSecureContext(options),
    options,
    notAfterMs: first && Date.parse(first.parsed.validTo),
    ...(SNICallback && { SNICallback }),
  };
}
