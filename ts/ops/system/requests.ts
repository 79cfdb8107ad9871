// The table of what the system account can be asked: of one server or all (`$SYS.REQ.SERVER.<id or PING>.<name>`), and of one account
// (`$SYS.REQ.ACCOUNT.<account>.<name>`). The documents are those of the monitoring endpoints; options come as JSON and are read as the
// endpoints read their query.

import { accountz, accountzOptions, accstatz } from '../monitor/accountz.ts';
import { connz, connzOptions } from '../monitor/connz.ts';
import type { Document, MonitorContext } from '../monitor/context.ts';
import { healthz, healthzOptions } from '../monitor/healthz.ts';
import { jsz, jszOptions } from '../monitor/jsz.ts';
import { debugVars } from '../monitor/process-documents.ts';
import type { ProcessPort } from '../../ports/process.ts';
import { gatewayz, leafz, routez } from '../monitor/peers.ts';
import { BadRequest } from '../monitor/query.ts';
import { subsz, subszOptions } from '../monitor/subsz.ts';
import { varz } from '../monitor/varz.ts';

/** The request's document; empty without one. */
export type Body = Readonly<Record<string, unknown>>;

/** Undefined: the server is silent. */
export type Answerer = (context: MonitorContext, body: Body, account: string) => Document | undefined;

/** Options whose query parameter has another name than the field. */
const queryNames: Readonly<Record<string, string>> = {
  subscriptions: 'subs',
  direct_consumer: 'direct-consumers',
  leader_only: 'leader-only',
  stream_leader_only: 'stream-leader-only',
};
const states = ['open', 'closed', 'all'];

function queryOf(body: Body, names: Readonly<Record<string, string>> = queryNames): URLSearchParams {
  const query = new URLSearchParams();
  for (const [field, value] of Object.entries(body)) {
    if (field === 'subscriptions_detail' && value === true) query.set('subs', 'detail');
    else if (field === 'state' && typeof value === 'number') query.set('state', states[value] ?? '');
    else if (['string', 'number', 'boolean'].includes(typeof value) && !query.has(names[field] ?? field))
      query.set(names[field] ?? field, String(value));
  }
  return query;
}

/** Where the field `account` is the endpoint's `acc`. */
const byAccount = { ...queryNames, account: 'acc' };
const ofJetStream = { ...byAccount, consumer: 'consumers' };

function connections({ view }: MonitorContext, body: Body, account: string): Document {
  const filter = body['filter_subject'];
  const options = { ...connzOptions(queryOf(body)), filterSubject: typeof filter === 'string' ? filter : '' };
  return connz(view, account === '' ? options : { ...options, account });
}

function accountOf(context: MonitorContext, body: Body): Document {
  return accountz(context.view, accountzOptions(queryOf(body, byAccount)));
}

function health({ view }: MonitorContext, body: Body): Document {
  const { status, document } = healthz(view, healthzOptions(queryOf(body)));
  const { status: word, ...rest } = document;
  return { status: word, status_code: status, ...rest };
}

/** nats-server's profiles are those of the Go runtime; this process has none of them. */
function profile({ name = '' }: Body): Document {
  const error = name === '' ? 'Profile name not specified' : `Profile ${JSON.stringify(name)} not found`;
  return { profile: null, error };
}

function processVariables(process: ProcessPort): Document {
  const { memstats, cmdline } = debugVars(process);
  return { memstats, cmdline };
}

/** Asked of servers; STATSZ and IDZ, whose answers have another form, are the service's. */
export const serverRequests: Readonly<Record<string, Answerer>> = {
  VARZ: (context) => varz(context),
  CONNZ: (context, body) => connections(context, body, ''),
  SUBSZ: ({ view }, body) => subsz(view, subszOptions(queryOf(body, byAccount))),
  ROUTEZ: ({ view }, body) => routez(view, queryOf(body)),
  GATEWAYZ: ({ view }, body) => gatewayz(view, queryOf(body)),
  LEAFZ: ({ view }, body) => leafz(view, queryOf(body)),
  ACCOUNTZ: (context, body) => accountOf(context, body),
  JSZ: ({ view }, body) => jsz(view, jszOptions(queryOf(body, ofJetStream))),
  HEALTHZ: (context, body) => health(context, body),
  EXPVARZ: ({ process }) => processVariables(process),
  IPQUEUESZ: () => ({}),
  RAFTZ: () => ({}),
  PROFILEZ: (_context, body) => profile(body),
};

function stats({ view }: MonitorContext, names: readonly string[], unused: boolean): Document | undefined {
  const document = accstatz(view, { unused });
  const rows = document['account_statz'] as readonly Document[];
  const chosen = names.length === 0 ? rows : rows.filter((row) => names.some((name) => name === row['acc']));
  return chosen.length === 0 ? undefined : { ...document, account_statz: chosen };
}

function accountJetStream({ view }: MonitorContext, body: Body, account: string): Document {
  const document = jsz(view, jszOptions(queryOf({ ...body, account }, ofJetStream)));
  const [detail] = (document['account_details'] ?? []) as readonly Document[];
  if (detail === undefined) {
    const isKnown = view.accounts().some(({ name }) => name === account);
    throw new BadRequest(`account "${account}" ${isKnown ? 'not jetstream enabled' : 'not found'}`);
  }
  return detail;
}

/** Asked of accounts. */
export const accountRequests: Readonly<Record<string, Answerer>> = {
  SUBSZ: ({ view }, body, account) => subsz(view, { ...subszOptions(queryOf(body)), subscriptions: true, account }),
  CONNZ: connections,
  LEAFZ: ({ view }, body, account) => leafz(view, queryOf({ ...body, acc: account })),
  JSZ: accountJetStream,
  INFO: (context, _body, account) => accountOf(context, { account })['account_detail'] as Document,
  STATZ: (context, body, account) => stats(context, [account], body['include_unused'] === true),
};

/** The statistics of all accounts, or of those named. */
export const allAccounts: Answerer = (context, body) => {
  const named = Array.isArray(body['accounts']) ? body['accounts'].map(String) : [];
  return stats(context, named, body['include_unused'] === true);
};
