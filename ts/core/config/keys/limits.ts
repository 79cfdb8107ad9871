// Keys of the file's own level that bound connections: counts, sizes and times.
// Kept true: what travels in 32 bits is checked to fit.

import type { Row, ValueType } from '../key-table.ts';
import type { Options } from '../options.ts';
import { between, bool, duration, integer, quotedDuration, size, size32 } from '../value-types.ts';
import { writeTimeout } from './peers.ts';

const MIN_LAME_DUCK_MS = 30_000;

const lameDuckDuration: ValueType<number> = {
  name: quotedDuration.name,
  read(value, reader, key) {
    const ms = quotedDuration.read(value, reader, key);
    if (ms === undefined || ms >= MIN_LAME_DUCK_MS) return ms;
    return reader.report(value.at, `invalid ${key} of ${ms / 1_000}s, minimum is 30 seconds`);
  },
};

const graceDuration: ValueType<number> = {
  name: quotedDuration.name,
  read(value, reader, key) {
    const ms = quotedDuration.read(value, reader, key);
    return ms === undefined || ms >= 0 ? ms : reader.report(value.at, `invalid ${key}, needs to be positive`);
  },
};

export const limitsRows: readonly Row<Options>[] = [
  {
    key: 'max_connections',
    aliases: ['max_conn'],
    field: 'maxConnections',
    type: integer,
    reload: 'yes',
    default: '65536',
    doc: 'Client connections; 0 refuses all.',
  },
  {
    key: 'max_control_line',
    field: 'maxControlLine',
    type: size32,
    reload: 'yes',
    default: '4096',
    doc: 'Bytes of a protocol line.',
  },
  { key: 'max_payload', field: 'maxPayload', type: size32, reload: 'yes', default: '1MiB', doc: 'Bytes of a message.' },
  {
    key: 'max_pending',
    field: 'maxPending',
    type: size,
    reload: 'no',
    default: '64MiB',
    doc: 'Bytes waiting for a client until it is a slow consumer.',
  },
  {
    key: 'max_subscriptions',
    aliases: ['max_subs'],
    field: 'maxSubscriptions',
    type: integer,
    reload: 'no',
    default: 'no limit',
    doc: 'Subscriptions of one connection.',
  },
  {
    key: 'max_sub_tokens',
    aliases: ['max_subscription_tokens'],
    field: 'maxSubTokens',
    type: between(1, 255),
    reload: 'no',
    default: 'no limit',
    doc: 'Tokens of a subject subscribed to.',
  },
  {
    key: 'max_closed_clients',
    field: 'maxClosedClients',
    type: integer,
    reload: 'no',
    default: '10000',
    doc: 'Closed connections that monitoring remembers.',
  },
  { key: 'ping_interval', field: 'pingIntervalMs', type: duration, reload: 'yes', default: '"2m"', doc: 'Time between pings.' },
  {
    key: 'ping_max',
    field: 'pingMax',
    type: integer,
    reload: 'yes',
    default: '2',
    doc: 'Unanswered pings until a connection is closed.',
  },
  {
    key: 'write_deadline',
    field: 'writeDeadlineMs',
    type: duration,
    reload: 'yes',
    default: '"10s"',
    doc: 'Time a write may take.',
  },
  {
    key: 'write_timeout',
    field: 'writeTimeout',
    type: writeTimeout,
    reload: 'no',
    default: 'close',
    doc: 'What happens then: the connection is closed, or only if the system took no byte of it in that time (`retry`).',
  },
  {
    key: 'no_fast_producer_stall',
    field: 'noFastProducerStall',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Publishers never wait for slow subscribers.',
  },
  {
    key: 'lame_duck_duration',
    field: 'lameDuckDurationMs',
    type: lameDuckDuration,
    reload: 'no',
    default: '"2m"',
    doc: 'Time over which clients are closed, at least 30 s.',
  },
  {
    key: 'lame_duck_grace_period',
    field: 'lameDuckGracePeriodMs',
    type: graceDuration,
    reload: 'no',
    default: '"10s"',
    doc: 'Time before the first is closed.',
  },
  {
    key: 'connect_error_reports',
    field: 'connectErrorReports',
    type: integer,
    reload: 'yes',
    status: 'later',
    default: '3600',
    doc: 'Every how many failed first connects are logged.',
  },
  {
    key: 'reconnect_error_reports',
    field: 'reconnectErrorReports',
    type: integer,
    reload: 'yes',
    status: 'later',
    default: '1',
    doc: 'Every how many failed reconnects are logged.',
  },
];
