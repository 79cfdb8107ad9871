// A configuration file to options: parsed, read by the tables, and checked as far as one file can be without the command line.
// Kept true: all mistakes of a file are thrown together in one ConfigError; the options answered are complete.

import { checkAccounts } from './check-accounts.ts';
import { parseConfig } from './config-parser.ts';
import type { ParserPorts } from './config-parser.ts';
import { ConfigError } from './config-error.ts';
import type { Problem } from './config-error.ts';
import { configJson } from './config-value.ts';
import type { MapValue } from './config-value.ts';
import { fillFromOperator } from './keys/operators.ts';
import { topTable } from './keys/top.ts';
import { defaultOptions } from './options-default.ts';
import type { Options } from './options.ts';
import { Reader } from './reader.ts';
import type { FileChecks } from './reader.ts';
import { messageOf } from '../../lib/message-of.ts';

export interface ConfigPorts extends ParserPorts, FileChecks {
  /** SHA-256 of a text's UTF-8 bytes, in lower case hex. */
  sha256(text: string): string;
}

export interface ReadConfig {
  readonly options: Options;
  readonly warnings: readonly Problem[];
  /** Keys that are known but whose feature is not built yet, in the order they were met. */
  readonly pendingFeatures: readonly string[];
}

/** `sha256:<hex>` of the parsed file, as nats-server computes it. */
function configDigest(root: MapValue, sha256: (text: string) => string): string {
  return `sha256:${sha256(`${configJson(root)}\n`)}`;
}

/** Settings where nats-server takes zero for "not set". */
function fillZeros(options: Options): void {
  const defaults = defaultOptions();
  const zeroMeansDefault = [
    'port',
    'maxControlLine',
    'maxPayload',
    'maxPending',
    'maxClosedClients',
    'pingIntervalMs',
    'pingMax',
    'writeDeadlineMs',
    'lameDuckGracePeriodMs',
    'connectErrorReports',
    'reconnectErrorReports',
  ] as const;
  for (const field of zeroMeansDefault) if (options[field] === 0) options[field] = defaults[field];
  if (options.host === '') options.host = defaults.host;
  options.maxSubscriptions = Math.max(options.maxSubscriptions, 0);
}

/** Reads the file at `path`. Throws a ConfigError that holds everything wrong with it. */
export function readConfig(path: string, ports: ConfigPorts): ReadConfig {
  let text: string;
  try {
    text = ports.readFile(path);
  } catch (error) {
    throw new ConfigError([{ text: messageOf(error) }]);
  }
  return readConfigText(text, path, ports);
}

export function readConfigText(text: string, path: string, ports: ConfigPorts): ReadConfig {
  const root = parseConfig(text, path, ports);
  const reader = new Reader(ports);
  const options = defaultOptions();
  options.configFile = path;
  topTable.fill(options, root.entries.values(), reader);
  checkAccounts(options, root, reader);
  if (reader.problems.length > 0) throw new ConfigError(reader.problems);
  fillZeros(options);
  fillFromOperator(options);
  options.configDigest = configDigest(root, (input) => ports.sha256(input));
  const empty: Problem[] = root.entries.size === 0 ? [{ text: `${path}: config has no values or is empty` }] : [];
  return { options, warnings: [...empty, ...reader.warnings], pendingFeatures: [...reader.pending] };
}
