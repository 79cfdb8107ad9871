/**
 * connz chooses, orders and pages connections as nats-server does. Rows that do not depend on timing were first run against the Go server with the same eight
 * connections: a to d open, e to h closed, a and d of user u, b and f of user v, c and g in account B.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClosedConnection, ConnectionSnapshot, EngineView } from '../../../ts/engine/snapshot.ts';
import { connz, connzOptions } from '../../../ts/ops/monitor/connz.ts';
import { after, accountSnapshot, closedConnection, connectionSnapshot, engineView } from './fake-engine.ts';

const open: readonly ConnectionSnapshot[] = [
  {
    cid: 7,
    name: 'a',
    authorizedUser: 'u',
    account: 'A',
    subscriptions: 2,
    outMsgs: 3,
    outBytes: 11,
    rttMs: 50,
    start: after(1),
  },
  {
    cid: 8,
    name: 'b',
    authorizedUser: 'v',
    account: 'A',
    subscriptions: 1,
    outMsgs: 3,
    outBytes: 11,
    inMsgs: 2,
    inBytes: 10,
    rttMs: 10,
  },
  {
    cid: 9,
    name: 'c',
    authorizedUser: 'b',
    account: 'B',
    subscriptions: 3,
    outMsgs: 2,
    outBytes: 200,
    inMsgs: 1,
    inBytes: 100,
    rttMs: 30,
  },
  {
    cid: 10,
    name: 'd',
    authorizedUser: 'u',
    account: 'A',
    inMsgs: 1,
    inBytes: 1,
    rttMs: 5,
    lastActivity: after(9),
    pendingBytes: 4,
  },
].map((fields) => connectionSnapshot({ start: after(fields.cid), lastActivity: after(fields.cid - 4), ...fields }));

const closed: readonly ClosedConnection[] = [
  { cid: 11, name: 'e', authorizedUser: 'u', account: 'A', reason: 'Client Closed', stop: after(31) },
  { cid: 12, name: 'f', authorizedUser: 'v', account: 'A', reason: 'Protocol Violation', subscriptions: 1, stop: after(32) },
  { cid: 13, name: 'g', authorizedUser: 'b', account: 'B', reason: 'Client Closed', stop: after(33) },
  { cid: 14, name: 'h', authorizedUser: 'zz', reason: 'Authentication Failure', stop: after(33.5) },
].map((fields) => closedConnection({ start: after(fields.cid), lastActivity: after(fields.cid), ...fields }));

const view: EngineView = engineView({
  connections: () => open,
  closed: () => closed,
  accounts: () => ['A', 'B', '$G'].map(accountSnapshot),
  subscriptions: ({ account } = {}) =>
    [{ account: 'A', subject: 's.*', sid: '1', cid: 8, msgs: 0 }].filter((one) => (account ?? one.account) === one.account),
});

interface Listing {
  readonly num_connections: number;
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly connections: readonly { readonly name: string }[];
}

function list(query: string): Listing {
  return connz(view, connzOptions(new URLSearchParams(query))) as unknown as Listing;
}

function names({ connections }: Listing): string {
  return connections.map(({ name }) => name).join('');
}

const orders: readonly (readonly [key: string, state: string, names: string])[] = [
  ['cid', 'all', 'abcdefgh'],
  ['start', 'all', 'abcdefgh'],
  ['subs', 'open', 'cabd'],
  ['subs', 'all', 'cabfdegh'],
  ['pending', 'open', 'dabc'],
  ['msgs_to', 'open', 'abcd'],
  ['msgs_from', 'open', 'bcda'],
  ['bytes_to', 'open', 'cabd'],
  ['bytes_from', 'open', 'cbda'],
  ['last', 'open', 'dcba'],
  ['idle', 'open', 'abcd'],
  ['uptime', 'open', 'dcba'],
  ['uptime', 'closed', 'hefg'],
  ['rtt', 'open', 'acbd'],
  ['stop', 'closed', 'hgfe'],
  ['reason', 'closed', 'hegf'],
];

for (const [key, state, expected] of orders) {
  test(`connz sorts ${state} connections by ${key}`, () => {
    assert.equal(names(list(`sort=${key}&state=${state}`)), expected);
  });
}

const choices: readonly (readonly [query: string, total: number, names: string])[] = [
  ['user=u', 4, 'ad'],
  ['user=v&state=all', 8, 'bf'],
  ['acc=B&state=all', 2, 'cg'],
  ['acc=A&user=v&state=ANY', 5, 'bf'],
  ['acc=$G', 0, ''],
  ['user=zz&state=Closed', 4, 'h'],
  ['cid=9', 4, 'c'],
  ['cid=9&state=closed', 4, ''],
  ['cid=12&state=all', 8, 'f'],
  ['acc=A&cid=9', 3, 'c'],
  ['cid=9&offset=1', 4, ''],
  ['limit=2&state=all', 8, 'ab'],
  ['state=all&limit=2&offset=3&user=u', 8, ''],
  ['offset=2&state=all&acc=A', 5, 'def'],
  ['user=u&limit=1&offset=1', 4, 'd'],
  ['limit=-1&offset=-3', 4, 'abcd'],
  ['mqtt_client=x', 4, ''],
  ['acc=A&filter_subject=s.x', 3, 'abd'],
  ['state=open&state=closed', 4, 'abcd'],
];

for (const [query, total, expected] of choices) {
  test(`connz?${query} lists ${expected === '' ? 'nothing' : expected} out of ${total}`, () => {
    const listing = list(query);
    assert.equal(names(listing), expected);
    assert.equal(listing.total, total);
    assert.equal(listing.num_connections, expected.length);
  });
}

test('a subject to filter by keeps the connections of the account that subscribed to it', () => {
  const options = { ...connzOptions(new URLSearchParams('acc=A')), filterSubject: 's.x' };
  assert.equal(names(connz(view, options) as unknown as Listing), 'b');
});

test('a cid makes the page one connection long', () => {
  assert.equal(list('cid=9&limit=7').limit, 1);
});

test('the global account is not named, but its name tag is', () => {
  const global = engineView({ connections: () => [connectionSnapshot({ authorizedUser: 'x' })] });
  const [shown] = connz(global, connzOptions(new URLSearchParams('auth=1')))['connections'] as readonly Record<string, unknown>[];
  assert.equal(shown?.['account'], undefined);
  assert.equal(shown?.['name_tag'], '$G');
  assert.equal(shown?.['authorized_user'], 'x');
});
