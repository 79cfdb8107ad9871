// Keys of the file's own level about the server as a process: its name, tags and files.
// Kept true: names have no spaces; tags are lower case and each stands once.

import type { Row, ValueType } from '../key-table.ts';
import type { Options } from '../options.ts';
import { bool, integer, record, text, texts } from '../value-types.ts';

const serverName: ValueType<string> = {
  name: 'string',
  read(value, reader, key) {
    const read = text.read(value, reader, key);
    return read?.includes(' ') ? reader.report(value.at, 'server name cannot contain spaces') : read;
  },
};

/** One tag or a list of them. */
const tags: ValueType<string[]> = {
  name: 'string or list',
  read(value, reader, key) {
    const read = texts.read(value, reader, key);
    const kept = read?.map((tag) => tag.trim().toLowerCase()).filter((tag) => tag !== '');
    return kept === undefined ? undefined : [...new Set(kept)];
  },
};

export const identityRows: readonly Row<Options>[] = [
  {
    key: 'server_name',
    field: 'serverName',
    type: serverName,
    reload: 'no',
    default: 'the id of the server',
    doc: 'Name of this server, without spaces.',
  },
  { key: 'server_tags', field: 'serverTags', type: tags, reload: 'yes', doc: 'Tags that placement of streams refers to.' },
  { key: 'server_metadata', field: 'serverMetadata', type: record(text), reload: 'yes', doc: 'Shown by monitoring.' },
  {
    key: 'feature_flags',
    field: 'featureFlags',
    type: record(bool),
    reload: 'no',
    doc: 'Switches of unfinished features, shown by monitoring: `js_ack_fc_v2`, `js_raft_delete_range`. Here they change nothing: acknowledgements of both forms are understood, the long one is not sent.',
  },
  {
    key: 'pid_file',
    aliases: ['pidfile'],
    field: 'pidFile',
    type: text,
    reload: 'yes',
    doc: 'File that the process id is written to.',
  },
  {
    key: 'ports_file_dir',
    field: 'portsFileDir',
    type: text,
    reload: 'yes',
    doc: 'Directory of a file that lists all addresses listened on.',
  },
  {
    key: 'prof_port',
    field: 'profPort',
    type: integer,
    reload: 'no',
    doc: 'Port of the profiler of a server with a process of its own, -1 for any: `/debug/pprof/profile` and `/debug/pprof/heap`, in the formats of V8.',
  },
  {
    key: 'prof_block_rate',
    field: 'profBlockRate',
    type: integer,
    reload: 'yes',
    doc: 'Rate at which waits for locks are sampled; there are none here.',
  },
];
