// From a command line to what the process shall do: run with these options, check a file, show a text, or signal another process.
// The whole decision is one pure function; reload calls it again with the same arguments, so that flags keep winning over the file.
// Kept true: `run` carries options that passed every check; everything else carries the exact text and exit code.

import { ConfigError, formatProblem } from '../config/config-error.ts';
import { defaultOptions, defaultTls } from '../config/options-default.ts';
import type { Options } from '../config/options.ts';
import { readConfig } from '../config/read-config.ts';
import type { ConfigPorts, ReadConfig } from '../config/read-config.ts';
import { validateOptions } from '../config/validate-options.ts';
import { applyClusterFlags } from './cluster-flags.ts';
import { FLAGS, pendingFlags } from './flag-table.ts';
import type { FlagValues } from './flag-table.ts';
import { helpText, TLS_HELP } from './help.ts';
import { parseFlags } from './parse-flags.ts';

export interface LoadInput extends ConfigPorts {
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  /** The name that texts give to the program. */
  readonly program: string;
  /** Of nats-server, that we are compatible with: tools read it from `--version`. */
  readonly version: string;
}

export type Loaded =
  | {
      readonly action: 'run';
      readonly options: Options;
      readonly warnings: readonly string[];
      readonly pendingFeatures: readonly string[];
    }
  /** `request` is what followed --signal: a command and perhaps the process meant. */
  | { readonly action: 'signal'; readonly request: string }
  /** Help, version, the result of -t, or what is wrong: written to `stdout` and `stderr`, then exit. */
  | {
      readonly action: 'help' | 'version' | 'test-config' | 'failed';
      readonly stdout: string;
      readonly stderr: string;
      readonly exitCode: number;
    };

function shown(action: 'help' | 'version', stdout: string, stderr = ''): Loaded {
  return { action, stdout, stderr, exitCode: 0 };
}

function failed(input: LoadInput, text: string): Loaded {
  return { action: 'failed', stdout: '', stderr: `${input.program}: ${text}\n`, exitCode: 1 };
}

function textOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  throw error;
}

/** What the words and the flags that only show something ask for. */
function early(input: LoadInput, values: FlagValues, words: readonly string[]): Loaded | undefined {
  // Tools that look for nats-server read this line, so it keeps that name.
  const version = `nats-server: v${input.version}\n`;
  if (values.get('version') === true) return shown('version', version);
  if (values.get('help') === true) return shown('help', helpText(input.program));
  if (values.get('help_tls') === true) return shown('help', TLS_HELP);
  const word = words[0]?.toLowerCase();
  if (word === 'version') return shown('version', version);
  if (word === 'help') return shown('help', helpText(input.program));
  if (word !== undefined) return failed(input, `unrecognized command: "${words[0]}"`);
  const signal = values.get('signal');
  if (typeof signal !== 'string' || signal === '') return undefined;
  return { action: 'signal', request: signal };
}

/** -t: the file alone, as far as its keys go. A warning counts as wrong. */
function testConfig(input: LoadInput, path: string): Loaded {
  if (path === '') return failed(input, 'must specify [-c, --config] option to check configuration file syntax');
  try {
    const { options, warnings } = readConfig(path, input);
    if (warnings.length > 0) return failed(input, `${warnings.map(formatProblem).join('\n')}\n`);
    const stderr = `${input.program}: configuration file ${path} is valid (${options.configDigest})\n`;
    return { action: 'test-config', stdout: '', stderr, exitCode: 0 };
  } catch (error) {
    return failed(input, textOf(error));
  }
}

/** TLS files given as flags; a certificate needs its key. */
function applyTlsFlags(options: Options, values: FlagValues): string | undefined {
  const [cert, key, ca] = ['tlscert', 'tlskey', 'tlscacert'].map((name) => String(values.get(name) ?? ''));
  const on = values.get('tls') === true || values.get('tlsverify') === true;
  if (!on && !cert && !key && !ca) return undefined;
  if (!cert) return 'TLS Server certificate must be present and valid';
  if (!key) return 'TLS Server private key must be present and valid';
  const tls = on && options.tls !== undefined ? options.tls : defaultTls();
  options.tls = { ...tls, certFile: cert, keyFile: key, caFile: ca ?? '' };
  return undefined;
}

/** What is wrong, after the flags were put over the options of the file. */
function applyFlags(options: Options, values: FlagValues): string | undefined {
  for (const flag of FLAGS) {
    const value = values.get(flag.names[0] ?? '');
    if (value === undefined) continue;
    if (flag.kind === 'bool' && typeof value === 'boolean') flag.apply?.(options, value);
    else if (flag.kind === 'int' && typeof value === 'number') flag.apply?.(options, value);
    else if (flag.kind === 'text' && typeof value === 'string') flag.apply?.(options, value);
  }
  if (options.port === 0) options.port = defaultOptions().port;
  if (options.host === '') options.host = defaultOptions().host;
  return applyTlsFlags(options, values) ?? applyClusterFlags(options, values);
}

function withoutFile(): ReadConfig {
  return { options: defaultOptions(), warnings: [], pendingFeatures: [] };
}

export function loadOptions(input: LoadInput): Loaded {
  const parsed = parseFlags(input.argv);
  if ('wrong' in parsed) return shown('help', helpText(input.program), `${parsed.wrong}\n`);
  const { values, words } = parsed;
  const done = early(input, values, words);
  if (done !== undefined) return done;
  const path = String(values.get('config') ?? '');
  if (values.get('t') === true) return testConfig(input, path);
  try {
    const { options, warnings, pendingFeatures } = path === '' ? withoutFile() : readConfig(path, input);
    const wrong = applyFlags(options, values);
    const problems = wrong === undefined ? validateOptions(options) : [wrong];
    if (problems.length > 0) return failed(input, problems.join('\n'));
    const pending = new Set([...pendingFeatures, ...pendingFlags(values)]);
    return { action: 'run', options, warnings: warnings.map(formatProblem), pendingFeatures: [...pending] };
  } catch (error) {
    return failed(input, textOf(error));
  }
}
