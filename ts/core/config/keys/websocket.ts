// The `websocket` and `mqtt` blocks: listeners for clients that do not speak plain NATS.
// Kept true: headers that the WebSocket handshake itself writes cannot be configured.

import { defineTable } from '../key-table.ts';
import type { ValueType } from '../key-table.ts';
import type { MqttOptions, WebsocketOptions } from '../options-network.ts';
import { between, block, bool, duration, integer, listen, plainSeconds, record, text, texts } from '../value-types.ts';
import { listenerAuthorization } from './authorization.ts';
import { tls } from './tls.ts';

const websocketTable = defineTable<WebsocketOptions>('websocket', [
  {
    key: 'listen',
    spread: listen<WebsocketOptions>(),
    fields: ['host', 'port'],
    reload: 'no',
    doc: 'Where WebSocket clients are accepted.',
  },
  { key: 'host', aliases: ['net'], field: 'host', type: text, reload: 'no', default: '0.0.0.0', doc: 'Host of `listen`.' },
  { key: 'port', field: 'port', type: integer, reload: 'no', default: 'off', doc: 'Port of `listen`, -1 for any.' },
  { key: 'advertise', field: 'advertise', type: text, reload: 'no', doc: 'Address told to clients.' },
  { key: 'tls', field: 'tls', type: tls('clients'), reload: 'yes', doc: 'TLS of this listener. Required, or `no_tls`.' },
  { key: 'no_tls', field: 'noTls', type: bool, reload: 'no', default: 'false', doc: 'This listener goes without TLS.' },
  {
    key: 'same_origin',
    field: 'sameOrigin',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Only pages from the same host and port.',
  },
  {
    key: 'allowed_origins',
    aliases: ['allowed_origin', 'allow_origins', 'allow_origin', 'origins', 'origin'],
    field: 'allowedOrigins',
    type: texts,
    reload: 'no',
    doc: 'Only pages from these origins; all when absent.',
  },
  {
    key: 'compression',
    aliases: ['compress'],
    field: 'compression',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Compression, when the client offers it.',
  },
  {
    key: 'handshake_timeout',
    field: 'handshakeTimeoutMs',
    type: plainSeconds,
    reload: 'no',
    default: 'none',
    doc: 'Time for the upgrade request.',
  },
  {
    key: 'authorization',
    aliases: ['authentication'],
    field: 'authorization',
    type: listenerAuthorization,
    reload: 'no',
    doc: 'Credentials of this listener, instead of the global ones.',
  },
  { key: 'no_auth_user', field: 'noAuthUser', type: text, reload: 'no', doc: 'User of clients without credentials.' },
  { key: 'jwt_cookie', field: 'jwtCookie', type: text, reload: 'no', doc: 'Cookie that holds a user JWT.' },
  { key: 'user_cookie', field: 'userCookie', type: text, reload: 'no', doc: 'Cookie that holds a user name.' },
  { key: 'pass_cookie', field: 'passCookie', type: text, reload: 'no', doc: 'Cookie that holds a password.' },
  { key: 'token_cookie', field: 'tokenCookie', type: text, reload: 'no', doc: 'Cookie that holds a token.' },
  { key: 'headers', field: 'headers', type: record(text), reload: 'no', doc: 'Headers added to the answer of the upgrade.' },
  {
    key: 'ping_interval',
    field: 'pingIntervalMs',
    type: duration,
    reload: 'no',
    default: 'of the server',
    doc: 'Time between pings.',
  },
]);

export const websocket: ValueType<WebsocketOptions> = block<WebsocketOptions>(websocketTable, () => ({
  host: '0.0.0.0',
  port: 0,
  advertise: '',
  noTls: false,
  sameOrigin: false,
  allowedOrigins: [],
  compression: false,
  handshakeTimeoutMs: 0,
  noAuthUser: '',
  jwtCookie: '',
  userCookie: '',
  passCookie: '',
  tokenCookie: '',
  headers: {},
  pingIntervalMs: undefined,
}));

const ignoredReplicas: ValueType<number> = {
  name: 'integer',
  read(value, reader, key) {
    const read = integer.read(value, reader, key);
    if (read !== undefined) reader.warn(value.at, `${key} is ignored in this version`);
    return read;
  },
};

const mqttTable = defineTable<MqttOptions>('mqtt', [
  {
    key: 'listen',
    spread: listen<MqttOptions>(),
    fields: ['host', 'port'],
    reload: 'no',
    doc: 'Where MQTT clients are accepted.',
  },
  { key: 'host', aliases: ['net'], field: 'host', type: text, reload: 'no', default: '0.0.0.0', doc: 'Host of `listen`.' },
  { key: 'port', field: 'port', type: integer, reload: 'no', default: 'off', doc: 'Port of `listen`, -1 for any.' },
  { key: 'tls', field: 'tls', type: tls('others'), reload: 'yes', doc: 'TLS of this listener.' },
  {
    key: 'authorization',
    aliases: ['authentication'],
    field: 'authorization',
    type: listenerAuthorization,
    reload: 'no',
    doc: 'Credentials of this listener, instead of the global ones.',
  },
  { key: 'no_auth_user', field: 'noAuthUser', type: text, reload: 'no', doc: 'User of clients without credentials.' },
  {
    key: 'ack_wait',
    aliases: ['ackwait'],
    field: 'ackWaitMs',
    type: duration,
    reload: 'new',
    default: '30 s',
    doc: 'Time until a message is sent again.',
  },
  {
    key: 'js_api_timeout',
    aliases: ['api_timeout'],
    field: 'jsApiTimeoutMs',
    type: duration,
    reload: 'no',
    default: '5 s',
    doc: 'Time for JetStream to answer.',
  },
  {
    key: 'max_ack_pending',
    aliases: ['max_pending', 'max_inflight'],
    field: 'maxAckPending',
    type: between(0, 65_535),
    reload: 'new',
    default: '1024',
    doc: 'Messages without an acknowledgement, a subscription.',
  },
  { key: 'js_domain', field: 'jsDomain', type: text, reload: 'no', doc: 'JetStream domain to use.' },
  {
    key: 'stream_replicas',
    field: 'streamReplicas',
    type: integer,
    reload: 'new',
    default: 'up to 3',
    doc: 'Replicas of the streams.',
  },
  { key: 'consumer_replicas', field: 'consumerReplicas', type: ignoredReplicas, reload: 'new', doc: 'Ignored.' },
  {
    key: 'consumer_memory_storage',
    field: 'consumerMemoryStorage',
    type: bool,
    reload: 'new',
    default: 'false',
    doc: 'Consumers are kept in memory.',
  },
  {
    key: 'consumer_inactive_threshold',
    aliases: ['consumer_auto_cleanup'],
    field: 'consumerInactiveThresholdMs',
    type: duration,
    reload: 'new',
    default: 'none',
    doc: 'Unused consumers are deleted after this time.',
  },
  {
    key: 'reject_qos2_publish',
    field: 'rejectQos2Publish',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'No QoS 2 messages.',
  },
  {
    key: 'downgrade_qos2_subscribe',
    field: 'downgradeQos2Subscribe',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'QoS 2 subscriptions become QoS 1.',
  },
]);

export const mqtt: ValueType<MqttOptions> = block<MqttOptions>(mqttTable, () => ({
  host: '0.0.0.0',
  port: 0,
  noAuthUser: '',
  ackWaitMs: 30_000,
  jsApiTimeoutMs: 5_000,
  maxAckPending: 1_024,
  jsDomain: '',
  streamReplicas: 0,
  consumerReplicas: 0,
  consumerMemoryStorage: false,
  consumerInactiveThresholdMs: 0,
  rejectQos2Publish: false,
  downgradeQos2Subscribe: false,
}));
