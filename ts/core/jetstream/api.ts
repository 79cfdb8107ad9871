// The table of JetStream API requests: subject below `$JS.API.`, handler, response type, what an error response carries besides.
// The dispatcher finds the row of a subject; `*` is one token, handed to the handler in order; `>` is the rest.

export type ApiHandlerId =
  | 'accountInfo'
  | 'streamCreate'
  | 'streamUpdate'
  | 'streamNames'
  | 'streamList'
  | 'streamInfo'
  | 'streamDelete'
  | 'streamPurge'
  | 'messageGet'
  | 'messageDelete'
  | 'streamSnapshot'
  | 'streamRestore'
  | 'streamPeerRemove'
  | 'streamStepdown'
  | 'consumerCreate'
  | 'consumerDurableCreate'
  | 'consumerNames'
  | 'consumerList'
  | 'consumerInfo'
  | 'consumerDelete'
  | 'consumerPause'
  | 'consumerReset'
  | 'consumerUnpin'
  | 'consumerStepdown'
  | 'consumerNext'
  | 'directGet'
  | 'directGetSubject';

interface Row {
  readonly subject: string;
  readonly handler: ApiHandlerId;
  /** Suffix of the response type; absent where answers are messages. */
  readonly type?: string;
  /** Fields that an error response has too. */
  readonly withError?: Readonly<Record<string, unknown>>;
  /** Refuses a request that has a payload. */
  readonly bare?: boolean;
  /** Only its errors are counted and told in the audit. */
  readonly tellsErrors?: boolean;
  /** Asks for information: such requests wait in a line of their own. */
  readonly asks?: boolean;
  /** Neither counted nor audited. */
  readonly unnoticed?: boolean;
}

const page = { total: 0, offset: 0, limit: 0 };

const rows: readonly Row[] = [
  { subject: 'INFO', handler: 'accountInfo', type: 'account_info_response', asks: true },
  { subject: 'STREAM.CREATE.*', handler: 'streamCreate', type: 'stream_create_response' },
  { subject: 'STREAM.UPDATE.*', handler: 'streamUpdate', type: 'stream_update_response' },
  {
    subject: 'STREAM.NAMES',
    handler: 'streamNames',
    type: 'stream_names_response',
    withError: { ...page, streams: null },
    asks: true,
  },
  {
    subject: 'STREAM.LIST',
    handler: 'streamList',
    type: 'stream_list_response',
    withError: { ...page, streams: [] },
    asks: true,
  },
  { subject: 'STREAM.INFO.*', handler: 'streamInfo', type: 'stream_info_response', withError: page, asks: true },
  { subject: 'STREAM.DELETE.*', handler: 'streamDelete', type: 'stream_delete_response', bare: true },
  { subject: 'STREAM.PURGE.*', handler: 'streamPurge', type: 'stream_purge_response', withError: { purged: 0 } },
  { subject: 'STREAM.MSG.GET.*', handler: 'messageGet', type: 'stream_msg_get_response', tellsErrors: true },
  { subject: 'STREAM.MSG.DELETE.*', handler: 'messageDelete', type: 'stream_msg_delete_response' },
  { subject: 'STREAM.SNAPSHOT.*', handler: 'streamSnapshot', type: 'stream_snapshot_response' },
  { subject: 'STREAM.RESTORE.*', handler: 'streamRestore', type: 'stream_restore_response', withError: { deliver_subject: '' } },
  { subject: 'STREAM.PEER.REMOVE.*', handler: 'streamPeerRemove', type: 'stream_remove_peer_response' },
  { subject: 'STREAM.LEADER.STEPDOWN.*', handler: 'streamStepdown', type: 'stream_leader_stepdown_response' },
  { subject: 'CONSUMER.CREATE.*', handler: 'consumerCreate', type: 'consumer_create_response' },
  { subject: 'CONSUMER.CREATE.*.>', handler: 'consumerCreate', type: 'consumer_create_response' },
  { subject: 'CONSUMER.DURABLE.CREATE.*.*', handler: 'consumerDurableCreate', type: 'consumer_create_response' },
  {
    subject: 'CONSUMER.NAMES.*',
    handler: 'consumerNames',
    type: 'consumer_names_response',
    asks: true,
    withError: { ...page, consumers: [] },
  },
  {
    subject: 'CONSUMER.LIST.*',
    handler: 'consumerList',
    type: 'consumer_list_response',
    withError: { ...page, consumers: [] },
    asks: true,
  },
  { subject: 'CONSUMER.INFO.*.*', handler: 'consumerInfo', type: 'consumer_info_response', bare: true, asks: true },
  { subject: 'CONSUMER.DELETE.*.*', handler: 'consumerDelete', type: 'consumer_delete_response', bare: true },
  {
    subject: 'CONSUMER.PAUSE.*.*',
    handler: 'consumerPause',
    type: 'consumer_pause_response',
    withError: { paused: false, pause_until: '0001-01-01T00:00:00Z' },
  },
  {
    subject: 'CONSUMER.RESET.*.*',
    handler: 'consumerReset',
    type: 'consumer_reset_response',
    withError: { reset_seq: 0 },
    unnoticed: true,
  },
  { subject: 'CONSUMER.UNPIN.*.*', handler: 'consumerUnpin', type: 'consumer_unpin_response' },
  { subject: 'CONSUMER.LEADER.STEPDOWN.*.*', handler: 'consumerStepdown', type: 'consumer_leader_stepdown_response' },
  { subject: 'CONSUMER.MSG.NEXT.*.*', handler: 'consumerNext' },
  { subject: 'DIRECT.GET.*', handler: 'directGet' },
  { subject: 'DIRECT.GET.*.>', handler: 'directGetSubject' },
];

export const apiPrefix = '$JS.API';

/** The whole response type of a row. */
export function responseType(suffix: string): string {
  return `io.nats.jetstream.api.v1.${suffix}`;
}

export interface ApiRoute {
  readonly row: Row;
  /** What the wildcards stood for, in order. */
  readonly parts: readonly string[];
}

const byHead = new Map<string, { readonly row: Row; readonly tokens: readonly string[] }[]>();
for (const row of rows) {
  const tokens = row.subject.split('.');
  const head = tokens[0] ?? '';
  byHead.set(head, [...(byHead.get(head) ?? []), { row, tokens }]);
}

/** The row for a request subject, or undefined for one that nobody answers. */
export function findApiRoute(subject: string): ApiRoute | undefined {
  if (!subject.startsWith(`${apiPrefix}.`)) return undefined;
  const tokens = subject.slice(apiPrefix.length + 1).split('.');
  for (const { row, tokens: pattern } of byHead.get(tokens[0] ?? '') ?? []) {
    const parts = matchTokens(pattern, tokens);
    if (parts !== undefined) return { row, parts };
  }
  return undefined;
}

function matchTokens(pattern: readonly string[], tokens: readonly string[]): string[] | undefined {
  const parts: string[] = [];
  for (let index = 0; index < pattern.length; index++) {
    const wanted = pattern[index];
    const token = tokens[index];
    if (token === undefined) return undefined;
    if (wanted === '>') return [...parts, tokens.slice(index).join('.')];
    if (wanted === '*') parts.push(token);
    else if (wanted !== token) return undefined;
  }
  return tokens.length === pattern.length ? parts : undefined;
}
