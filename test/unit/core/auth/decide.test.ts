// Who may come in: every kind of credential through tables compiled from options, answers as nats-server 2.14.5 gave them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, equalTexts } from '../../../../ts/core/auth/decide.ts';
import type { AuthDecision, AuthRequest } from '../../../../ts/core/auth/decide.ts';
import { compileAuth, overrideAuth } from '../../../../ts/core/auth/table.ts';
import type { AuthTable } from '../../../../ts/core/auth/table.ts';
import { defaultOptions } from '../../../../ts/core/config/options.ts';
import type { Options, UserOptions } from '../../../../ts/core/config/options.ts';
import { nodeTokens } from '../../../../ts/node/crypto.ts';
import { defaultConnect } from '../../../../ts/core/session/connect.ts';
import type { ConnectOptions } from '../../../../ts/core/session/connect.ts';

const user = (name: string, pass: string, change: Partial<UserOptions> = {}): UserOptions => ({
  user: name,
  pass,
  nkey: '',
  account: '$G',
  proxyRequired: false,
  ...change,
});

function tableOf(users: UserOptions[], change: (options: Options) => void = () => undefined): AuthTable {
  const options = defaultOptions();
  options.authorization.users = users;
  change(options);
  return compileAuth(options);
}

const verify = (nkey: string, nonce: string, signature: string): boolean => signature === `${nkey} signed ${nonce}`;

function ask(table: AuthTable, connect: Partial<ConnectOptions>, request: Partial<AuthRequest> = {}): AuthDecision {
  const whole = {
    connect: { ...defaultConnect, ...connect },
    nonce: 'n1',
    connectionType: 'STANDARD',
    certificate: undefined,
    clientIp: '127.0.0.1',
    nowMs: 0,
    ...request,
  } as const;
  return decide(table, whole, { verify, tokens: nodeTokens });
}

/** `account/label`, or what kind of answer it is otherwise. */
const said = (decision: AuthDecision): string =>
  decision.kind === 'granted' ? `${decision.account}/${decision.label}` : decision.kind;

test('without any credential configured everybody is anonymous in the global account', () => {
  const table = tableOf([]);
  assert.equal(table.required, false);
  assert.equal(said(ask(table, { user: 'x', pass: 'y' })), '$G/');
  assert.equal(said(ask(table, { nkey: 'UA' })), '$G/nkey:UA');
});

test('users by name and password', () => {
  const table = tableOf([user('a', 'b'), user('c', 'd', { account: 'C' })]);
  const cases: readonly (readonly [connect: Partial<ConnectOptions>, answer: string])[] = [
    [{ user: 'a', pass: 'b' }, '$G/user:a'],
    [{ user: 'c', pass: 'd' }, 'C/user:c'],
    [{ user: 'a', pass: 'd' }, 'refused'],
    [{ user: 'a' }, 'refused'],
    [{ user: 'x', pass: 'b' }, 'refused'],
    [{ pass: 'b' }, 'refused'],
    [{ authToken: 'b' }, 'refused'],
    [{}, 'refused'],
  ];
  for (const [connect, answer] of cases) assert.equal(said(ask(table, connect)), answer, JSON.stringify(connect));
});

test('a hashed password is a question whose answer decides', () => {
  const table = tableOf([user('a', '$2a$04$abcdefghijklmnopqrstuu')]);
  const decision = ask(table, { user: 'a', pass: 'secret' });
  assert.ok(decision.kind === 'question');
  assert.deepEqual([decision.password, decision.hash], ['secret', '$2a$04$abcdefghijklmnopqrstuu']);
  assert.equal(said(decision.decided(true)), '$G/user:a');
  assert.equal(said(decision.decided(false)), 'refused');
});

test('a single user, and a token', () => {
  const single = tableOf([], ({ authorization }) => Object.assign(authorization, { user: 'u', pass: 'p' }));
  assert.equal(said(ask(single, { user: 'u', pass: 'p' })), '$G/user:u');
  assert.equal(said(ask(single, { user: 'u', pass: 'x' })), 'refused');
  assert.equal(said(ask(single, { user: 'x', pass: 'p' })), 'refused');
  const token = tableOf([], ({ authorization }) => Object.assign(authorization, { token: 's3' }));
  assert.equal(said(ask(token, { authToken: 's3' })), '$G/token');
  assert.equal(said(ask(token, { user: 's3' })), 'refused');
  assert.equal(said(ask(token, { pass: 's3' })), 'refused');
  assert.equal(said(ask(token, {})), 'refused');
});

test('an nkey signs the nonce', () => {
  const table = tableOf([user('', '', { nkey: 'UA', account: 'A' }), user('a', 'b')]);
  assert.equal(table.needsNonce, true);
  assert.equal(said(ask(table, { nkey: 'UA', sig: 'UA signed n1' })), 'A/nkey:UA');
  assert.equal(said(ask(table, { nkey: 'UA', sig: 'UA signed n2' })), 'refused');
  assert.equal(said(ask(table, { nkey: 'UA' })), 'refused');
  assert.equal(said(ask(table, { nkey: 'UB', sig: 'UB signed n1' })), 'refused');
  assert.equal(said(ask(table, { user: 'a', pass: 'b' })), '$G/user:a');
});

test('no_auth_user stands in for clients without name, password and token', () => {
  const table = tableOf([user('a', 'b'), user('c', 'd')], (options) => Object.assign(options, { noAuthUser: 'a' }));
  const cases: readonly (readonly [connect: Partial<ConnectOptions>, answer: string])[] = [
    [{}, '$G/user:a'],
    [{ jwt: 'x' }, '$G/user:a'],
    [{ sig: 'x' }, '$G/user:a'],
    [{ nkey: 'UA' }, '$G/nkey:UA'],
    [{ user: 'c', pass: 'd' }, '$G/user:c'],
    [{ user: 'c', pass: 'x' }, 'refused'],
    [{ user: 'c' }, 'refused'],
    [{ pass: 'x' }, 'refused'],
    [{ authToken: 'x' }, 'refused'],
  ];
  for (const [connect, answer] of cases) assert.equal(said(ask(table, connect)), answer, JSON.stringify(connect));
});

test('a user may be limited to kinds of connections, or to proxies', () => {
  const table = tableOf([user('w', 'w', { allowedConnectionTypes: ['WEBSOCKET'] }), user('p', 'p', { proxyRequired: true })]);
  assert.equal(said(ask(table, { user: 'w', pass: 'w' })), 'refused');
  assert.equal(said(ask(table, { user: 'w', pass: 'w' }, { connectionType: 'WEBSOCKET' })), '$G/user:w');
  assert.equal(said(ask(table, { user: 'p', pass: 'p' })), 'refused');
});

test('verify_and_map: the certificate names the user', () => {
  const names = {
    subject: 'CN=carol,OU=Team,O=Slipstream',
    emails: ['carol@example.com'],
    dnsNames: ['carol.example'],
    uris: ['spiffe://example/carol'],
  };
  const mapped = (...users: UserOptions[]): AuthTable => ({ ...tableOf(users), mapCertificate: true });
  const given = { certificate: names };
  const order = [user('spiffe://example/carol', ''), user('carol.example', ''), user('carol@example.com', '')];
  assert.equal(said(ask(mapped(...order), {}, given)), '$G/user:carol@example.com');
  assert.equal(said(ask(mapped(...order.slice(0, 2)), {}, given)), '$G/user:carol.example');
  assert.equal(said(ask(mapped(...order.slice(0, 1)), {}, given)), '$G/user:spiffe://example/carol');
  assert.equal(said(ask(mapped(user('CN=carol,OU=Team,O=Slipstream', '')), {}, given)), '$G/user:CN=carol,OU=Team,O=Slipstream');
  assert.equal(
    said(ask(mapped(user('o=Slipstream, OU=Team, CN=carol', '')), {}, given)),
    '$G/user:o=Slipstream, OU=Team, CN=carol',
  );
  assert.equal(said(ask(mapped(user('CN=carol,OU=Team', '')), {}, given)), 'refused');
  assert.equal(said(ask(mapped(user('carol@example.com', '')), { pass: 'yy' }, given)), 'refused');
  assert.equal(said(ask(mapped(user('carol@example.com', '')), { user: 'x' }, given)), '$G/user:carol@example.com');
  assert.equal(said(ask(mapped(user('carol@example.com', '')), {})), 'refused');
});

test("a listener's own credentials take the place of the server's", () => {
  const server = tableOf([user('a', 'b')]);
  const authorization = { user: '', pass: '', token: 'web', timeoutMs: undefined };
  const own = overrideAuth(server, { authorization, noAuthUser: '', mapCertificate: false });
  assert.equal(said(ask(own, { authToken: 'web' })), '$G/token');
  assert.equal(said(ask(own, { user: 'a', pass: 'b' })), 'refused');
  const open = overrideAuth(server, { noAuthUser: 'a', mapCertificate: false });
  assert.equal(said(ask(open, {})), '$G/user:a');
  assert.equal(said(ask(server, {})), 'refused');
});

test('equal permission blocks compile to one object', () => {
  const permissions = { publish: { allow: ['x.>'] } };
  const { users } = tableOf([
    user('a', 'b', { permissions }),
    user('c', 'd', { permissions: { ...permissions } }),
    user('e', 'f'),
  ]);
  assert.equal(users.get('a')?.permissions, users.get('c')?.permissions);
  assert.equal(users.get('e')?.permissions, undefined);
});

test('texts are compared whole', () => {
  for (const [left, right, equal] of [
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'ab', false],
    ['', 'a', false],
    ['', '', true],
    ['aaa', 'a', false],
  ] as const) {
    assert.equal(equalTexts(left, right), equal, `${left} ${right}`);
    assert.equal(equalTexts(right, left), equal, `${right} ${left}`);
  }
});

test('a proxy vouches with a signature of the nonce by a key that is trusted', () => {
  const trusting = (options: Options): void => void (options.trustedProxies = ['P1', 'P2']);
  const table = tableOf([user('a', 'b', { proxyRequired: true }), user('c', 'd')], trusting);
  const why = (decision: AuthDecision): string => (decision.kind === 'refused' ? (decision.why ?? 'refused') : said(decision));
  assert.equal(why(ask(table, { user: 'a', pass: 'b' })), 'proxy connection required');
  assert.equal(why(ask(table, { user: 'a', pass: 'b', proxySig: 'P2 signed n1' })), '$G/user:a');
  assert.equal(why(ask(table, { user: 'a', pass: 'b', proxySig: 'P3 signed n1' })), 'proxy is not trusted');
  assert.equal(why(ask(table, { user: 'c', pass: 'd', proxySig: 'P2 signed n2' })), 'proxy is not trusted');
  assert.equal(why(ask(table, { user: 'c', pass: 'd' })), '$G/user:c');
  const single = tableOf([], (options) => {
    trusting(options);
    Object.assign(options.authorization, { token: 't', proxyRequired: true });
  });
  assert.equal(why(ask(single, { authToken: 't' })), 'proxy connection required');
  assert.equal(why(ask(single, { authToken: 't', proxySig: 'P1 signed n1' })), '$G/token');
});

/** Under a callout: what is asked, or what is decided without asking. */
function underCallout(allowedAccounts: string[] = []): AuthTable {
  return tableOf([user('a', 'b'), user('c', 'd'), user('o', 'o', { account: 'O' })], ({ authorization }) => {
    authorization.authCallout = { issuer: 'A', account: '$G', authUsers: ['a'], xkey: '', allowedAccounts };
  });
}

test('under a callout those on its list are judged by their own credentials, everybody else is asked about', () => {
  const table = underCallout();
  assert.equal(said(ask(table, { user: 'a', pass: 'b' })), '$G/user:a');
  assert.equal(said(ask(table, { user: 'a', pass: 'x' })), 'refused');
  for (const connect of [{ user: 'c', pass: 'd' }, { user: 'c', pass: 'x' }, { user: 'x' }, { authToken: 't' }, {}]) {
    assert.equal(said(ask(table, connect)), 'callout', JSON.stringify(connect));
  }
  assert.equal(table.required, true);
});

test('a callout that names accounts leaves the users of others alone', () => {
  assert.equal(said(ask(underCallout(), { user: 'o', pass: 'o' })), 'callout');
  assert.equal(said(ask(underCallout(['P']), { user: 'o', pass: 'o' })), 'O/user:o');
  assert.equal(said(ask(underCallout(['P']), { user: 'c', pass: 'd' })), 'callout');
});

test('who is in the account of a callout may not ask in its place', () => {
  const granted = ask(underCallout(), { user: 'a', pass: 'b' });
  assert.ok(granted.kind === 'granted');
  assert.deepEqual(granted.permissions?.publishDeny, ['$SYS.REQ.USER.AUTH']);
});

test('a callout that is late is a timeout, one that fails or says nothing refuses', () => {
  const question = ask(underCallout(), { user: 'x' });
  assert.ok(question.kind === 'callout');
  const late = question.decided({ kind: 'late' });
  assert.deepEqual([late.kind, late.kind === 'refused' && late.error], ['refused', 'authTimeout']);
  assert.equal(said(question.decided({ kind: 'failed', why: 'broken' })), 'refused');
  const nothing = { kind: 'said', text: '', encrypted: false, userNkey: 'U', serverId: 'N', nowMs: 0 } as const;
  assert.equal(said(question.decided(nothing)), 'refused');
  assert.equal(said(question.decided({ ...nothing, text: 'garbage' })), 'refused');
});
