// The INFO line: every field in nats-server's place, absent when it says nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { infoLine } from '../../../../ts/core/session/info.ts';
import type { ServerInfo } from '../../../../ts/core/session/info.ts';

const least: ServerInfo = {
  ...{
    serverId: 'N1',
    serverName: 'N1',
    version: '2.14.5',
    gitCommit: '',
    go: 'go',
    host: '0.0.0.0',
    port: 4_222,
    headers: false,
  },
  ...{
    authRequired: false,
    tlsRequired: false,
    tlsVerify: false,
    tlsAvailable: false,
    maxPayload: 10,
    jetstream: false,
    cluster: '',
  },
  ...{ clusterDynamic: false, domain: '', connectUrls: [], lameDuck: false, apiLevel: 0, xkey: '' },
};

const most: ServerInfo = {
  ...{
    serverId: 'N1',
    serverName: 'a "b" <c>',
    version: '2.14.5',
    gitCommit: 'abc',
    go: 'go',
    host: 'h',
    port: 1,
    headers: true,
  },
  ...{
    authRequired: true,
    tlsRequired: true,
    tlsVerify: true,
    tlsAvailable: true,
    maxPayload: 10,
    jetstream: true,
    cluster: 'c',
  },
  ...{ clusterDynamic: true, domain: 'd', connectUrls: ['h:1', 'h:2'], lameDuck: true, apiLevel: 4, xkey: 'X1' },
};

const parsed = (line: string): Record<string, unknown> => JSON.parse(line.slice('INFO '.length)) as Record<string, unknown>;

test('the least INFO', () => {
  assert.equal(
    infoLine(least, { clientId: 1, clientIp: '', nonce: '' }),
    'INFO {"server_id":"N1","server_name":"N1","version":"2.14.5","proto":1,"go":"go","host":"0.0.0.0","port":4222,"headers":false,"max_payload":10,"client_id":1} \r\n',
  );
});

test('the fullest INFO, field by field', () => {
  const client = { clientId: 2, clientIp: '::1', nonce: 'n', maxPayload: 5, remote: { account: 'a&b', isSystem: true } };
  const line = infoLine(most, client);
  assert.deepEqual(Object.keys(parsed(line)), [
    ...['server_id', 'server_name', 'version', 'proto', 'git_commit', 'go', 'host', 'port', 'headers', 'auth_required'],
    ...['tls_required', 'tls_verify', 'tls_available', 'max_payload', 'jetstream', 'client_id', 'client_ip', 'nonce', 'cluster'],
    ...['cluster_dynamic', 'domain', 'connect_urls', 'ldm', 'connect_info', 'remote_account', 'acc_is_sys', 'api_lvl', 'xkey'],
  ]);
  assert.deepEqual(
    [parsed(line)['server_name'], parsed(line)['remote_account'], parsed(line)['max_payload']],
    ['a "b" <c>', 'a&b', 5],
  );
  assert.ok(line.includes('"server_name":"a \\"b\\" \\u003cc\\u003e"') && line.includes('"remote_account":"a\\u0026b"'), line);
});

test('the address of a client is written as it is, or as JSON writes it', () => {
  for (const clientIp of ['192.0.2.1', '2001:db8::1', 'fe80::1%eth"<0>', 'a host'])
    assert.equal(parsed(infoLine(least, { clientId: 1, clientIp, nonce: '' }))['client_ip'], clientIp);
});

test('whoever needs no credentials is not told that others do', () => {
  const line = infoLine(most, { clientId: 1, clientIp: '', nonce: '' }, false);
  assert.equal(parsed(line)['auth_required'], undefined);
});
