// What an account offers to others and takes from them: `exports` and `imports`.
// Kept true: an entry is either a stream or a service, and carries no setting that only the other kind knows. Whether an import is
// authorized depends on other accounts and is checked when all of them are read.

import { parseDuration } from '../duration.ts';
import type { ConfigValue } from '../config-value.ts';
import { defineTable } from '../key-table.ts';
import type { SpreadType, ValueType } from '../key-table.ts';
import type { ExportOptions, ImportOptions, LatencyOptions } from '../options-auth.ts';
import type { Reader } from '../reader.ts';
import { block, blocks, bool, integer, oneOf, text, texts } from '../value-types.ts';

type Kind = 'stream' | 'service';

/** An export or import while it is read; `kind` is undefined until its stream or service was seen. */
interface Draft {
  drafted?: Kind;
}

/** The subject that makes an export a stream or a service. */
function exportedSubject(kind: Kind): SpreadType<ExportOptions & Draft> {
  return {
    name: 'subject',
    assign(target, value, reader, key) {
      if (target.drafted !== undefined) {
        reader.report(value.at, `detected ${kind} but already saw a ${target.drafted}`);
        return;
      }
      const subject = text.read(value, reader, key);
      target.drafted = kind;
      target.kind = kind;
      if (subject !== undefined) target.subject = subject;
    },
  };
}

const sampling: ValueType<number> = {
  name: '1..100, "n%" or `headers`',
  read(value, reader, key) {
    if (value.kind === 'string' && value.value.toLowerCase() === 'headers') return 0;
    const written = value.kind === 'string' ? value.value.replace(/%$/, '') : value.kind === 'integer' ? String(value.value) : '';
    const percent = /^\d+$/.test(written) ? Number(written) : 0;
    return percent >= 1 && percent <= 100 ? percent : reader.report(value.at, `bad ${key} percentage, should be 1-100`);
  },
};

const latencyTable = defineTable<LatencyOptions>('latency', [
  { key: 'subject', field: 'subject', type: text, reload: 'yes', doc: 'Where measurements are published.' },
  {
    key: 'sampling',
    field: 'sampling',
    type: sampling,
    reload: 'yes',
    default: '100',
    doc: 'Percent of requests, or those with a header.',
  },
]);
const latencyMap = block<LatencyOptions>(
  latencyTable,
  () => ({ subject: '', sampling: 100 }),
  (read, value, reader) => {
    if (read.subject === '') reader.report(value.at, 'latency subject required, but missing');
  },
);

const latency: ValueType<LatencyOptions> = {
  name: 'subject or map',
  table: latencyTable,
  read: (value, reader, key) =>
    value.kind === 'string' ? { subject: value.value, sampling: 100 } : latencyMap.read(value, reader, key),
};

const threshold: ValueType<number> = {
  name: 'duration',
  read(value, reader, key) {
    const ms = value.kind === 'string' ? parseDuration(value.value) : undefined;
    return ms ?? reader.report(value.at, `expected ${key} to be a parseable time duration`);
  },
};

const exportTable = defineTable<ExportOptions & Draft>('exports', [
  { key: 'stream', spread: exportedSubject('stream'), reload: 'yes', doc: 'Subject of the messages offered.' },
  { key: 'service', spread: exportedSubject('service'), reload: 'yes', doc: 'Subject of the requests answered.' },
  { key: 'accounts', field: 'accounts', type: texts, reload: 'yes', doc: 'Who may import; everybody when absent.' },
  {
    key: 'account_token_position',
    field: 'accountTokenPosition',
    type: integer,
    reload: 'yes',
    doc: 'The token of the subject that must be the importing account.',
  },
  {
    key: 'response_type',
    aliases: ['response'],
    field: 'responseType',
    type: oneOf({ single: 'singleton', singleton: 'singleton', stream: 'stream', chunk: 'chunked', chunked: 'chunked' } as const),
    reload: 'yes',
    default: 'singleton',
    doc: 'How many replies a service gives.',
  },
  {
    key: 'threshold',
    aliases: ['response_threshold', 'response_max_time', 'response_time'],
    field: 'responseThresholdMs',
    type: threshold,
    reload: 'yes',
    doc: 'Time until a reply is taken as missing.',
  },
  { key: 'latency', field: 'latency', type: latency, reload: 'yes', doc: 'Measure this service.' },
  {
    key: 'allow_trace',
    field: 'allowTrace',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Message traces may pass into this service.',
  },
]);

/** Settings that only a service has. */
const SERVICE_ONLY = [
  'response_type',
  'response',
  'threshold',
  'response_threshold',
  'response_max_time',
  'response_time',
  'latency',
  'allow_trace',
];

function checkExport(read: ExportOptions & Draft, value: ConfigValue, reader: Reader): void {
  if (value.kind === 'map' && read.drafted !== 'service') {
    for (const entry of value.entries.values()) {
      if (SERVICE_ONLY.includes(entry.key.toLowerCase()))
        reader.report(entry.value.at, `${entry.key} is only for a service export`);
    }
  }
  const { drafted, latency: measured, responseType } = read;
  if (drafted === 'service' && measured !== undefined && responseType !== 'singleton') {
    reader.report(value.at, `error adding service latency sampling for "${read.subject}": bad service response type`);
  }
  delete read.drafted;
}

export const exportList: ValueType<ExportOptions[]> = blocks(
  block<ExportOptions & Draft>(
    exportTable,
    () => ({
      kind: 'stream',
      subject: '',
      accounts: [],
      accountTokenPosition: 0,
      responseType: 'singleton',
      responseThresholdMs: 0,
      allowTrace: false,
    }),
    checkExport,
  ),
);

interface Source {
  account: string;
  subject: string;
}

const sourceTable = defineTable<Source>('imports', [
  { key: 'account', field: 'account', type: text, reload: 'yes', doc: 'The account that exports.' },
  { key: 'subject', field: 'subject', type: text, reload: 'yes', doc: 'The subject it exports.' },
]);
const source = block<Source>(
  sourceTable,
  () => ({ account: '', subject: '' }),
  (read, value, reader) => {
    if (read.account === '' || read.subject === '') reader.report(value.at, 'expect an account name and a subject');
  },
);

function importedSource(kind: Kind): SpreadType<ImportOptions & Draft> {
  return {
    name: 'map',
    table: sourceTable,
    assign(target, value, reader, key) {
      if (target.drafted !== undefined) {
        reader.report(value.at, `detected ${kind} but already saw a ${target.drafted}`);
        return;
      }
      target.drafted = kind;
      target.kind = kind;
      const read = source.read(value, reader, key);
      if (read !== undefined) Object.assign(target, read);
    },
  };
}

const importTable = defineTable<ImportOptions & Draft>('imports', [
  { key: 'stream', spread: importedSource('stream'), reload: 'yes', doc: 'Take the messages of this stream.' },
  { key: 'service', spread: importedSource('service'), reload: 'yes', doc: 'Send requests to this service.' },
  { key: 'prefix', field: 'prefix', type: text, reload: 'yes', doc: 'Put before the subjects of a stream.' },
  { key: 'to', field: 'to', type: text, reload: 'yes', doc: 'The subject here, when it differs.' },
  { key: 'share', field: 'share', type: bool, reload: 'yes', default: 'false', doc: 'Tell the service who asks.' },
  {
    key: 'allow_trace',
    field: 'allowTrace',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Message traces of this stream may pass.',
  },
]);

/** Whether traces pass into a service its export says. */
function refuseTrace(value: ConfigValue, reader: Reader): void {
  if (value.kind !== 'map') return;
  for (const entry of value.entries.values())
    if (entry.key.toLowerCase() === 'allow_trace')
      reader.report(entry.value.at, 'detected allow_trace directive on a non-stream');
}

export const importList: ValueType<ImportOptions[]> = blocks(
  block<ImportOptions & Draft>(
    importTable,
    () => ({ kind: 'stream', account: '', subject: '', to: '', prefix: '', share: false, allowTrace: false }),
    (read, value, reader) => {
      if (read.kind === 'stream' && read.prefix !== '' && read.to !== '') {
        reader.report(value.at, "a stream import can not have a 'prefix' and a 'to' property");
      }
      if (read.drafted === 'service') refuseTrace(value, reader);
      delete read.drafted;
    },
  ),
);
