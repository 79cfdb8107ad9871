// The table of advisories and metrics: subject below its prefix and type. A subject's placeholders are the stream and consumer;
// the engine adds type, id and timestamp in front of the fields and publishes only where somebody listens.

const advisory = 'io.nats.jetstream.advisory.v1.';
const metric = 'io.nats.jetstream.metric.v1.';

const table = {
  apiAudit: ['$JS.EVENT.ADVISORY.API', `${advisory}api_audit`],
  apiLimitReached: ['$JS.EVENT.ADVISORY.API.LIMIT_REACHED', `${advisory}api_limit_reached`],
  streamCreated: ['$JS.EVENT.ADVISORY.STREAM.CREATED.{stream}', `${advisory}stream_action`],
  streamUpdated: ['$JS.EVENT.ADVISORY.STREAM.UPDATED.{stream}', `${advisory}stream_action`],
  streamDeleted: ['$JS.EVENT.ADVISORY.STREAM.DELETED.{stream}', `${advisory}stream_action`],
  consumerCreated: ['$JS.EVENT.ADVISORY.CONSUMER.CREATED.{stream}.{consumer}', `${advisory}consumer_action`],
  consumerDeleted: ['$JS.EVENT.ADVISORY.CONSUMER.DELETED.{stream}.{consumer}', `${advisory}consumer_action`],
  consumerPaused: ['$JS.EVENT.ADVISORY.CONSUMER.PAUSE.{stream}.{consumer}', `${advisory}consumer_pause`],
  consumerPinned: ['$JS.EVENT.ADVISORY.CONSUMER.PINNED.{stream}.{consumer}', `${advisory}consumer_group_pinned`],
  consumerUnpinned: ['$JS.EVENT.ADVISORY.CONSUMER.UNPINNED.{stream}.{consumer}', `${advisory}consumer_group_unpinned`],
  maxDeliveries: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{stream}.{consumer}', `${advisory}max_deliver`],
  messageNaked: ['$JS.EVENT.ADVISORY.CONSUMER.MSG_NAKED.{stream}.{consumer}', `${advisory}nak`],
  messageTerminated: ['$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.{stream}.{consumer}', `${advisory}terminated`],
  snapshotCreate: ['$JS.EVENT.ADVISORY.STREAM.SNAPSHOT_CREATE.{stream}', `${advisory}snapshot_create`],
  snapshotComplete: ['$JS.EVENT.ADVISORY.STREAM.SNAPSHOT_COMPLETE.{stream}', `${advisory}snapshot_complete`],
  restoreCreate: ['$JS.EVENT.ADVISORY.STREAM.RESTORE_CREATE.{stream}', `${advisory}restore_create`],
  restoreComplete: ['$JS.EVENT.ADVISORY.STREAM.RESTORE_COMPLETE.{stream}', `${advisory}restore_complete`],
  streamLeaderElected: ['$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.{stream}', `${advisory}stream_leader_elected`],
  consumerLeaderElected: ['$JS.EVENT.ADVISORY.CONSUMER.LEADER_ELECTED.{stream}.{consumer}', `${advisory}consumer_leader_elected`],
  streamQuorumLost: ['$JS.EVENT.ADVISORY.STREAM.QUORUM_LOST.{stream}', `${advisory}stream_quorum_lost`],
  consumerQuorumLost: ['$JS.EVENT.ADVISORY.CONSUMER.QUORUM_LOST.{stream}.{consumer}', `${advisory}consumer_quorum_lost`],
  batchAbandoned: ['$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.{stream}', `${advisory}stream_batch_abandoned`],
  domainLeaderElected: ['$JS.EVENT.ADVISORY.DOMAIN.LEADER_ELECTED', `${advisory}domain_leader_elected`],
  outOfStorage: ['$JS.EVENT.ADVISORY.SERVER.OUT_OF_STORAGE', `${advisory}server_out_of_space`],
  serverRemoved: ['$JS.EVENT.ADVISORY.SERVER.REMOVED', `${advisory}server_removed`],
  metaRescue: ['$JS.EVENT.ADVISORY.SERVER.META_RESCUE', `${advisory}meta_rescue`],
  consumerAck: ['$JS.EVENT.METRIC.CONSUMER.ACK.{stream}.{consumer}', `${metric}consumer_ack`],
} as const satisfies Record<string, readonly [subject: string, type: string]>;

export type AdvisoryId = keyof typeof table;

export interface Advisory {
  readonly subject: string;
  readonly type: string;
}

/** The subject and type of an advisory about a stream or a consumer. */
export function advisoryOf(id: AdvisoryId, stream = '', consumer = ''): Advisory {
  const [subject, type] = table[id];
  return { subject: subject.replace('{stream}', stream).replace('{consumer}', consumer), type };
}
