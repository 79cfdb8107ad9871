// What the log says when the server starts: what it is, what it runs on, which configuration, and JetStream's settings. Pure text, so that
// the lines tools look for (`Store Directory: "..."`) are held by tests.

import type { Options } from '../core/config/options.ts';
import { allUsers } from '../core/config/options.ts';
import { flagText, isFeatureFlag } from '../core/config/feature-flags.ts';
import type { FeatureFlag } from '../core/config/feature-flags.ts';
import { pendingText } from '../core/config/unbuilt.ts';
import type { Log } from '../ports/log.ts';

export interface BannerFacts {
  readonly id: string;
  readonly name: string;
  /** The nats-server release this server is compatible with. */
  readonly version: string;
  readonly gitCommit: string;
  readonly runtime: string;
}

export interface JetStreamBannerFacts {
  readonly maxMemory: number;
  readonly maxStorage: number;
  readonly storeDir: string;
  readonly apiLevel: number;
}

export function logBanner(log: Log, facts: BannerFacts, options: Options): void {
  log.info('Starting Slipstream');
  log.info(`  Version:  ${facts.version} (compatible)`);
  log.info(`  Git:      [${facts.gitCommit === '' ? 'not set' : facts.gitCommit}]`);
  log.info(`  Runtime:  ${facts.runtime}`);
  const cluster = options.cluster?.name ?? '';
  if (cluster !== '') log.info(`  Cluster:  ${cluster}`);
  log.info(`  Name:     ${facts.name}`);
  log.info(`  ID:       ${facts.id}`);
  logFeatureFlags(log, options.featureFlags);
  if (hasPlainPassword(options)) log.warn('Plaintext passwords detected, use nkeys or bcrypt');
  if (Object.keys(options.defaultJsDomain).length > 0) {
    log.warn('The option `default_js_domain` is a temporary backwards compatibility measure and will be removed');
  }
  if (options.configFile !== '') log.info(`Using configuration file: ${options.configFile} (${options.configDigest})`);
}

/** Not what this server sends. */
const LONG_REPLIES: FeatureFlag = 'js_ack_fc_v2';

function logFeatureFlags(log: Log, configured: Readonly<Record<string, boolean>>): void {
  const names = Object.keys(configured).sort();
  if (names.length === 0) return;
  const known = names.filter(isFeatureFlag).map((name) => `${name} (${flagText(name, configured[name] === true)})`);
  const unknown = names.filter((name) => !isFeatureFlag(name));
  log.info('  Feature flags:');
  log.info(`    Configured:    ${known.length === 0 ? 'none' : known.join(', ')}`);
  if (unknown.length > 0) log.info(`    Unsupported:   ${unknown.join(', ')}`);
  if (configured[LONG_REPLIES] === true) log.warn(pendingText(`feature_flags.${LONG_REPLIES}`));
}

const rule = '-'.repeat(43);

export function logJetStreamBanner(log: Log, facts: JetStreamBannerFacts, { jetstream }: Options): void {
  log.info('Starting JetStream');
  log.info(`---------------- JETSTREAM ${'-'.repeat(16)}`);
  log.info(`  Strict:          ${jetstream.strict}`);
  log.info(`  Max Memory:      ${sizeText(facts.maxMemory)}`);
  log.info(`  Max Storage:     ${sizeText(facts.maxStorage)}`);
  log.info(`  Store Directory: "${facts.storeDir}"`);
  if (jetstream.key !== '') log.info(`  Encryption:      ${jetstream.cipher === 'aes' ? 'AES-GCM' : 'ChaCha20-Poly1305'}`);
  const { syncIntervalMs } = jetstream;
  log.info(
    `  Sync:            ${syncIntervalMs === 'always' ? 'before each acknowledgement' : `every ${syncIntervalMs / 1000} s`}`,
  );
  if (jetstream.domain !== '') log.info(`  Domain:          ${jetstream.domain}`);
  log.info(`  API Level:       ${facts.apiLevel}`);
  log.info(rule);
}

const units = ['KB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** Bytes as `17.66 GB`, units of 1024. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(2)} ${units[power - 1]}`;
}

function isPlain(secret: string): boolean {
  return secret !== '' && !/^\$2[abxy]\$\d{2}\$/.test(secret);
}

function hasPlainPassword(options: Options): boolean {
  const { pass: own, token } = options.authorization;
  return isPlain(own) || isPlain(token) || allUsers(options).some(({ pass }) => isPlain(pass));
}
