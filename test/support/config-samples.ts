// The sample configurations of test/fixtures/config/samples.txt: what each is, and what our reader says to it.
// A sample begins with a line `### verdict | text | nats-server: verdict`. `accept`, `warn` and `reject` are our verdicts; the text is the
// first warning or mistake; the last part stands only where nats-server -t decides otherwise, or now one way and now the other (`either`).

import { readFileSync } from 'node:fs';

export interface ConfigSample {
  readonly text: string;
  readonly verdict: 'accept' | 'warn' | 'reject';
  readonly problem: string;
  /** Whether nats-server -t accepts it; it refuses what it only warns about, too. Undefined where that hangs on the order of Go's maps. */
  readonly acceptedByNatsServer: boolean | undefined;
}

const certificates = new URL('./certs/', import.meta.url).pathname;

const replacements: Readonly<Record<string, string>> = {
  CERT: `${certificates}server.pem`,
  KEY: `${certificates}server-key.pem`,
  CA_FILE: `${certificates}ca.pem`,
};

function sample(written: string): ConfigSample {
  const end = written.indexOf('\n');
  const [verdict = '', problem = '', theirs = ''] = written.slice(0, end).split(' | ');
  if (verdict !== 'accept' && verdict !== 'warn' && verdict !== 'reject') throw new Error(`no verdict: ${written}`);
  const other = problem.startsWith('nats-server:') ? problem : theirs;
  return {
    text: written.slice(end + 1).replace(/\b(CERT|KEY|CA_FILE)\b/g, (name) => replacements[name] ?? name),
    verdict,
    problem: problem.startsWith('nats-server:') ? '' : problem,
    acceptedByNatsServer:
      other === 'nats-server: either' ? undefined : other === '' ? verdict === 'accept' : other === 'nats-server: accept',
  };
}

/** All samples; `directory` stands for the directories that some of them name. */
export function configSamples(directory: string): ConfigSample[] {
  const file = readFileSync(new URL('../fixtures/config/samples.txt', import.meta.url), 'utf8');
  return file
    .split(/^### /m)
    .slice(1)
    .map((written) => sample(written.replace(/\b(STORE|RESOLVER)\b/g, (name) => `${directory}/${name.toLowerCase()}`)));
}
