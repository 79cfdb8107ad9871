// The `tls` block, the same for every listener and for outgoing connections.
// Kept true: files are named, not read; names of ciphers and curves are Go's, and unknown ones are errors.

import type { ConfigValue } from '../config-value.ts';
import { defaultTls } from '../options-default.ts';
import { parseDuration } from '../duration.ts';
import { defineTable } from '../key-table.ts';
import type { SpreadType, ValueType } from '../key-table.ts';
import type { OcspPeerOptions, TlsCertificate, TlsOptions } from '../options-network.ts';
import type { Reader } from '../reader.ts';
import { block, blocks, bool, integer, plainSeconds, text, textList } from '../value-types.ts';
import { CIPHER_SUITES, CURVES, INSECURE_CIPHER_SUITES } from '../tls-names.ts';

const DEFAULT_FALLBACK_MS = 50;

/** A list of names out of a table. */
function names(known: ReadonlySet<string>, what: string): ValueType<string[]> {
  return {
    name: `list of ${what}s`,
    read(value, reader, key) {
      const read = textList.read(value, reader, key);
      if (read === undefined) return undefined;
      if (read.length === 0) return reader.report(value.at, `${key} cannot be empty`);
      const wrong = read.filter((name) => !known.has(name));
      return wrong.length === 0 ? read : reader.report(value.at, `unrecognized ${what} ${wrong.join(', ')}`);
    },
  };
}

const minVersion: ValueType<'1.2' | '1.3'> = {
  name: '`"1.2"`, `"1.3"`',
  read(value, reader, key) {
    if (value.kind !== 'string') return reader.wrongType(value, key, '"1.2" or "1.3" in quotes');
    if (value.value === '1.2' || value.value === '1.3') return value.value;
    const old = value.value === '1.0' || value.value === '1.1';
    return reader.report(value.at, old ? `unsupported TLS version: ${value.value}` : `unknown TLS version: ${value.value}`);
  },
};

const pinnedCerts: ValueType<string[]> = {
  name: 'list of hex SHA-256',
  read(value, reader, key) {
    const read = textList.read(value, reader, key)?.map((hash) => hash.toLowerCase());
    const wrong = read?.find((hash) => !/^[0-9a-f]{64}$/.test(hash));
    if (wrong === undefined) return read;
    return reader.report(value.at, `${key}: ${wrong} does not look like the hex-encoded SHA-256 of a public key`);
  },
};

const handshakeFirst: SpreadType<TlsOptions> = {
  name: 'boolean, `auto` or duration',
  assign(tls, value, reader, key) {
    const word = value.kind === 'string' ? value.value.toLowerCase() : undefined;
    if (value.kind === 'bool' || word === 'on' || word === 'off' || word === 'true' || word === 'false') {
      tls.handshakeFirst = value.kind === 'bool' ? value.value : word === 'on' || word === 'true';
      tls.handshakeFirstFallbackMs = 0;
      return;
    }
    if (word === undefined) {
      reader.wrongType(value, key, 'a boolean, "auto" or a duration');
      return;
    }
    const fallback = word === 'auto' ? DEFAULT_FALLBACK_MS : parseDuration(word);
    if (fallback === undefined) {
      reader.report(value.at, `value "${word}" of "${key}" is invalid`);
      return;
    }
    tls.handshakeFirst = true;
    tls.handshakeFirstFallbackMs = fallback;
  },
};

const certificateTable = defineTable<TlsCertificate>('certs', [
  { key: 'cert_file', field: 'certFile', type: text, reload: 'yes', doc: 'Certificate, PEM.' },
  { key: 'key_file', field: 'keyFile', type: text, reload: 'yes', doc: 'Its key, PEM.' },
]);
const certificates = blocks(
  block<TlsCertificate>(
    certificateTable,
    () => ({ certFile: '', keyFile: '' }),
    (read, value, reader) => {
      if (read.certFile === '' || read.keyFile === '') {
        reader.report(value.at, "error parsing certificates config: both 'cert_file' and 'key_file' options are required");
      }
    },
  ),
);

/** Below zero, the default stays. */
const secondsFromZero: ValueType<number> = {
  name: plainSeconds.name,
  read(value, reader, key) {
    const ms = plainSeconds.read(value, reader, key);
    return ms !== undefined && ms < 0 ? undefined : ms;
  },
};

const ocspPeerTable = defineTable<OcspPeerOptions>('ocsp_peer', [
  { key: 'verify', field: 'verify', type: bool, reload: 'yes', default: 'false', doc: 'Check peers.' },
  {
    key: 'ca_timeout',
    field: 'caTimeoutMs',
    type: secondsFromZero,
    reload: 'yes',
    default: '2 s',
    doc: 'Time for the responder to answer.',
  },
  {
    key: 'allowed_clockskew',
    field: 'allowedClockSkewMs',
    type: secondsFromZero,
    reload: 'yes',
    default: '30 s',
    doc: 'Difference of clocks.',
  },
  { key: 'warn_only', field: 'warnOnly', type: bool, reload: 'yes', default: 'false', doc: 'Report, but let in.' },
  {
    key: 'unknown_is_good',
    field: 'unknownIsGood',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Unknown certificates pass.',
  },
  {
    key: 'allow_when_ca_unreachable',
    field: 'allowWhenCaUnreachable',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Let in when the responder cannot be asked.',
  },
  {
    key: 'cache_ttl_when_next_update_unset',
    field: 'cacheTtlWhenNextUpdateUnsetMs',
    type: secondsFromZero,
    reload: 'yes',
    default: '1 h',
    doc: 'How long an answer without an end is kept.',
  },
]);
const ocspPeerMap = block<OcspPeerOptions>(ocspPeerTable, () => ({
  verify: false,
  caTimeoutMs: 2_000,
  allowedClockSkewMs: 30_000,
  warnOnly: false,
  unknownIsGood: false,
  allowWhenCaUnreachable: false,
  cacheTtlWhenNextUpdateUnsetMs: 3_600_000,
}));

const ocspPeer: SpreadType<TlsOptions> = {
  name: 'boolean or map',
  table: ocspPeerTable,
  assign(tls, value, reader, key) {
    const at = value.at;
    const map: ConfigValue = value.kind === 'bool' ? { kind: 'map', entries: new Map(), at } : value;
    const read = ocspPeerMap.read(map, reader, key);
    if (read === undefined) return;
    if (value.kind === 'bool') read.verify = value.value;
    tls.ocspPeer = read;
  },
};

const windowsOnly: SpreadType<TlsOptions> = {
  name: 'string',
  assign(_tls, value, reader, key) {
    reader.report(value.at, `${key} needs the certificate store of Windows; name files instead`);
  },
};

const tlsTable = defineTable<TlsOptions>('tls', [
  { key: 'cert_file', field: 'certFile', type: text, reload: 'yes', doc: 'Certificate, PEM.' },
  { key: 'key_file', field: 'keyFile', type: text, reload: 'yes', doc: 'Its key, PEM.' },
  { key: 'ca_file', field: 'caFile', type: text, reload: 'yes', doc: 'Authorities that peers are checked against, PEM.' },
  {
    key: 'certs',
    aliases: ['certificates'],
    field: 'certs',
    type: certificates,
    reload: 'yes',
    doc: 'Several certificates, instead of `cert_file`.',
  },
  { key: 'verify', field: 'verify', type: bool, reload: 'yes', default: 'false', doc: 'Peers need a certificate.' },
  {
    key: 'verify_and_map',
    field: 'verifyAndMap',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'As `verify`, and the certificate says which user the client is.',
  },
  {
    key: 'verify_cert_and_check_known_urls',
    field: 'verifyCertAndCheckKnownUrls',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'As `verify`, and the certificate must name a known peer. Clusters and gateways only.',
  },
  {
    key: 'insecure',
    field: 'insecure',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Outgoing connections check no certificate.',
  },
  { key: 'timeout', field: 'timeoutMs', type: plainSeconds, reload: 'yes', default: '2 s', doc: 'Time for the handshake.' },
  {
    key: 'handshake_first',
    aliases: ['first', 'immediate'],
    spread: handshakeFirst,
    fields: ['handshakeFirst', 'handshakeFirstFallbackMs'],
    reload: 'yes',
    default: 'false',
    doc: 'TLS begins before INFO; `auto` (50 ms) or a duration: only with clients that begin it in that time.',
  },
  {
    key: 'connection_rate_limit',
    field: 'connectionRateLimit',
    type: integer,
    reload: 'yes',
    default: '0',
    doc: 'Handshakes a second, 0 for no limit.',
  },
  { key: 'pinned_certs', field: 'pinnedCerts', type: pinnedCerts, reload: 'yes', doc: 'Only these public keys are let in.' },
  {
    key: 'cipher_suites',
    field: 'cipherSuites',
    type: names(new Set([...CIPHER_SUITES, ...INSECURE_CIPHER_SUITES]), 'cipher'),
    reload: 'yes',
    doc: 'Names in order of preference; all secure ones when absent.',
  },
  {
    key: 'allow_insecure_cipher_suites',
    field: 'allowInsecureCipherSuites',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Insecure suites may be named.',
  },
  {
    key: 'curve_preferences',
    field: 'curvePreferences',
    type: names(CURVES, 'curve preference'),
    reload: 'yes',
    doc: 'Names in order of preference.',
  },
  { key: 'min_version', field: 'minVersion', type: minVersion, reload: 'yes', default: '"1.2"', doc: 'The oldest TLS accepted.' },
  {
    key: 'ocsp_peer',
    spread: ocspPeer,
    fields: ['ocspPeer'],
    reload: 'yes',
    doc: 'Ask whether certificates of peers were revoked.',
  },
  {
    key: 'cert_store',
    aliases: ['cert_match_by', 'cert_match', 'ca_certs_match', 'cert_match_skip_invalid'],
    spread: windowsOnly,
    reload: 'no',
    doc: 'Certificates in the store of Windows; not available.',
  },
]);

function checkTls(tls: TlsOptions, value: ConfigValue, reader: Reader): void {
  if (tls.certs.length > 0 && tls.certFile !== '') {
    reader.report(value.at, "error parsing tls config, cannot combine 'cert_file' option with 'certs' option");
  }
  if (tls.certFile !== '' && tls.keyFile === '') reader.report(value.at, "missing 'key_file' in TLS configuration");
  if (tls.certFile === '' && tls.keyFile !== '') reader.report(value.at, "missing 'cert_file' in TLS configuration");
  const insecure = tls.cipherSuites.filter((name) => INSECURE_CIPHER_SUITES.has(name));
  if (insecure.length > 0 && !tls.allowInsecureCipherSuites) {
    const text = "insecure cipher suites configured without 'allow_insecure_cipher_suites' option set";
    reader.report(value.at, `${text}: ${insecure.join(', ')}`);
  }
}

/** A TLS block: of a cluster or gateway, where certificates may be checked against known addresses; of a listener for clients; or another. */
export function tls(of: 'peers' | 'clients' | 'others'): ValueType<TlsOptions> {
  return block<TlsOptions>(tlsTable, defaultTls, (read, value, reader) => {
    const before = reader.problems.length;
    checkTls(read, value, reader);
    if (read.verifyAndMap || read.verifyCertAndCheckKnownUrls) read.verify = true;
    if (read.verifyCertAndCheckKnownUrls && of !== 'peers') {
      reader.report(value.at, 'verify_cert_and_check_known_urls not supported in this context');
    }
    if (of === 'clients' && read.ocspPeer?.verify === true && !read.verify) {
      reader.report(value.at, 'OCSP peer verification for client connections requires TLS verify (mTLS) to be enabled');
    }
    const wrong = reader.problems.length === before ? reader.checks.checkTls?.(read) : undefined;
    if (wrong !== undefined) reader.report(value.at, wrong);
  });
}
