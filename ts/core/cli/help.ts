// The help texts, made from the table of flags.
// Kept true: every flag of the table is in the text, with all its spellings.

import { FLAG_GROUPS, FLAGS } from './flag-table.ts';
import type { Flag } from './flag-table.ts';

const COLUMN = 36;

function spelled(flag: Flag): string {
  const short = flag.names.filter((name) => name.length <= 2 || name === 'DVV').map((name) => `-${name}`);
  const long = flag.names.filter((name) => name.length > 2 && name !== 'DVV').map((name) => `--${name}`);
  const argument = flag.argument === undefined ? '' : ` ${flag.argument}`;
  return `    ${[...short, ...long].join(', ')}${argument}`;
}

function line(flag: Flag): string {
  const left = spelled(flag);
  return left.length < COLUMN ? `${left.padEnd(COLUMN)} ${flag.help}` : `${left}\n${' '.repeat(COLUMN)} ${flag.help}`;
}

export function helpText(program: string): string {
  const groups = FLAG_GROUPS.map((group) => {
    const lines = FLAGS.filter((flag) => flag.group === group).map(line);
    return `${group} options:\n${lines.join('\n')}\n`;
  });
  return `\nUsage: ${program} [options]\n\n${groups.join('\n')}\nA flag wins over the configuration file. -x and --x are the same.\nClusters are still to come: their flags are read, and the log says so once.\n`;
}

export const TLS_HELP = `
TLS is configured in a tls block of the configuration file:

    tls {
      cert_file: "server-cert.pem"   # certificate of this server
      key_file:  "server-key.pem"    # its key
      ca_file:   "ca.pem"            # authorities that clients are checked against
      verify:    true                # clients need a certificate
      timeout:   2                   # seconds for the handshake
    }

The same block stands in websocket, leafnodes, cluster and gateway for their listeners. cipher_suites, curve_preferences
and min_version narrow what is offered; docs/configuration.md lists all keys.
`;
