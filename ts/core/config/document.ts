// The tables of keys as a page of Markdown: docs/configuration.md is this function's answer, and a test holds it to that.
// Kept true: a key is documented exactly when it is read.

import type { KeyRow, KeyTable } from './key-table.ts';
import { topTable } from './keys/top.ts';

const RELOAD: Readonly<Record<KeyRow['reload'], string>> = { yes: 'yes', no: 'no', part: 'in part', new: 'for new ones' };

const OPENING = `# Configuration

A configuration file of nats-server works unchanged. It is read from the file named by \`-c\`; flags of the command line win over it.
This page is written from the tables that the reader itself uses (\`UPDATE_DOCS=1 npm test tables\`).

## The language

| What | How |
| --- | --- |
| Keys and values | \`key: value\`, \`key = value\` or \`key value\`, one on a line or separated by \`,\` or \`;\`. Plain JSON is fine. Known keys may be written in any case. |
| Comments | \`#\` or \`//\` to the end of the line. |
| Strings | Bare, in \`'single quotes'\` as they stand, in \`"double quotes"\` with \`\\n \\t \\r \\" \\\\ \\xHH\`, or over several lines between \`(\` and a \`)\` alone on its line. |
| Numbers | \`10\`, \`-1\`, \`1.5\`; integers with \`k m g t p e\` (powers of 1000) or \`kb ki kib\` and so on (powers of 1024). |
| Booleans | \`true yes on\`, \`false no off\`. |
| Lists and maps | \`[ a, b ]\`, items also one on a line; \`{ key: value }\`. |
| Durations | Strings such as \`"2m"\`, \`"1h30m"\`, \`"250ms"\`. Quote them: a bare \`2m\` is the integer two million, which is taken as seconds and warned about. |
| Variables | \`$NAME\`: a key defined before it, in the maps around it, else the environment variable. |
| Includes | \`include file\`: its keys stand here. The path is relative to the file it is written in. |

A mistake is shown as \`file:line:column: what is wrong\`, all mistakes of a file together. \`-t\` checks a file and exits.

A few things are taken differently than by nats-server. More is accepted: a list of numbers such as \`[1, 2]\` needs no space before
its bracket, \`left\` and \`right\` are functions of mappings, and \`-sd\` wins over a \`store_dir\` of the file. Mistakes that it reads
over are told: an integer beyond 64 bits, a \`{\` around the whole file that is not closed, a separator where a key is wanted, a
compression mode or an account block that is none.

**reload** says what \`--signal reload\` may change: a key with *no* makes the whole reload fail when it differs. A key that is *not
built yet* is read and checked, and said once in the log.
`;

const STATUS = `## Status of certificates (OCSP)

With \`ocsp_peer\` in the \`tls\` block of the client or WebSocket listener, the certificates of a client's chain that name a responder are
asked about, as nats-server does; several certificates of \`ca_file\` may end a chain, and one chain in order is enough. Until the
verdict nothing of the client is read. Node cannot end a handshake then as Go does: a client that is not let in sees its
connection close where nats-server sends it \`bad certificate\`. Answers are kept in \`cache.json\` of \`ocsp_cache\`'s
directory, in nats-server's format. Stricter than nats-server: an answer must be about the certificate that was asked about.

Where the certificate of a listener promises a stapled status (must-staple), or \`ocsp\` says \`always\`, handshakes carry it, and the
server does not start without one; it is kept under \`ocsp/\` in the store directory. \`mode: must\` and \`always\` end the server when
its certificate is revoked.
`;

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function line(row: KeyRow): string {
  const names = [row.key, ...(row.aliases ?? [])].map((name) => `\`${name}\``).join(', ');
  const later = row.status === 'later' ? ' *Not built yet.*' : '';
  return `| ${[names, row.typeName, row.default ?? '', RELOAD[row.reload], `${row.doc}${later}`].map(cell).join(' | ')} |`;
}

/** Tables inside a table, each once, in the order they are met. */
function inner(table: KeyTable, path: string, seen: Map<string, KeyTable>): void {
  for (const row of table.rows) {
    if (row.table === undefined) continue;
    const at = path === '' ? row.key : `${path}.${row.key}`;
    const known = [...seen.values()].includes(row.table) || sameRows(row.table, [...seen.values()]);
    if (known) continue;
    seen.set(at, row.table);
    inner(row.table, at, seen);
  }
}

/** The same block made twice, as the TLS block of two listeners is. */
function sameRows(table: KeyTable, others: readonly KeyTable[]): boolean {
  const text = table.rows.map(line).join();
  return others.some((other) => other.rows.map(line).join() === text);
}

function section(title: string, table: KeyTable): string {
  const head = '| key | value | default | reload | meaning |\n| --- | --- | --- | --- | --- |';
  return `## ${title}\n\n${head}\n${table.rows.map(line).join('\n')}\n`;
}

export function configurationPage(): string {
  const blocks = new Map<string, KeyTable>();
  inner(topTable, '', blocks);
  const sections = [...blocks].map(([path, table]) => section(`\`${path}\``, table));
  return [OPENING, section('Top level', topTable), ...sections, STATUS].join('\n');
}
