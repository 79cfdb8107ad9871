// Keys of the file's own level about the log.
// Kept true: verbose tracing and tracing of headers imply tracing.

import type { Row, SpreadType } from '../key-table.ts';
import type { Options } from '../options.ts';
import { bool, integer, size, text } from '../value-types.ts';

/** A flag of the log that switches another one on. */
function tracing(field: 'traceVerbose' | 'traceHeaders'): SpreadType<Options> {
  return {
    name: bool.name,
    assign(options, value, reader, key) {
      const read = bool.read(value, reader, key);
      if (read === undefined) return;
      options[field] = read;
      if (read) options.trace = true;
    },
  };
}

export const loggingRows: readonly Row<Options>[] = [
  { key: 'debug', field: 'debug', type: bool, reload: 'yes', default: 'false', doc: 'Log what the server does.' },
  { key: 'trace', field: 'trace', type: bool, reload: 'yes', default: 'false', doc: 'Log the protocol.' },
  {
    key: 'trace_verbose',
    spread: tracing('traceVerbose'),
    fields: ['traceVerbose'],
    reload: 'yes',
    default: 'false',
    doc: 'Log the protocol of the system account too.',
  },
  {
    key: 'trace_headers',
    spread: tracing('traceHeaders'),
    fields: ['traceHeaders'],
    reload: 'yes',
    default: 'false',
    doc: 'Log headers instead of whole messages.',
  },
  { key: 'logtime', field: 'logtime', type: bool, reload: 'yes', default: 'true', doc: 'Log lines begin with the time.' },
  { key: 'logtime_utc', field: 'logtimeUtc', type: bool, reload: 'yes', default: 'false', doc: 'That time is UTC.' },
  {
    key: 'log_file',
    aliases: ['logfile'],
    field: 'logFile',
    type: text,
    reload: 'yes',
    default: 'stderr',
    doc: 'File to log to.',
  },
  {
    key: 'log_size_limit',
    aliases: ['logfile_size_limit'],
    field: 'logSizeLimit',
    type: size,
    reload: 'no',
    default: 'none',
    doc: 'A new log file is begun after so many bytes.',
  },
  {
    key: 'log_max_num',
    aliases: ['logfile_max_num'],
    field: 'logMaxNum',
    type: integer,
    reload: 'no',
    default: 'all',
    doc: 'Log files kept.',
  },
  {
    key: 'syslog',
    field: 'syslog',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Log to the syslog of this machine, where it takes a stream or journald stands before it: Node has no UNIX datagrams.',
  },
  {
    key: 'remote_syslog',
    field: 'remoteSyslog',
    type: text,
    reload: 'yes',
    doc: 'Log to the syslog at an address, `udp://host:514`, `tcp://host:514` or `unix:///path` of a stream; wins over `syslog`, `log_file` over both.',
  },
  {
    key: 'max_traced_msg_len',
    field: 'maxTracedMsgLen',
    type: integer,
    reload: 'yes',
    default: 'no limit',
    doc: 'Bytes of a message in the log.',
  },
];
