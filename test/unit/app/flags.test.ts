// Files as the configuration reader asks for them: words for what cannot be read, certificates tried out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTls, readConfigFile } from '../../../ts/app/flags.ts';
import { defaultTls } from '../../../ts/core/config/options-default.ts';
import { temporaryFile, temporaryFolder } from '../../support/temporary.ts';

const certificates = new URL('../../support/certs/', import.meta.url).pathname;

test('a file is read, and one that cannot be is told in nats-server words', () => {
  assert.equal(readConfigFile(temporaryFile('a.conf', 'port: é')), 'port: é');
  assert.throws(() => readConfigFile('/nowhere/a.conf'), { message: 'open /nowhere/a.conf: no such file or directory' });
  const folder = temporaryFolder();
  assert.throws(() => readConfigFile(folder), { message: `read ${folder}: is a directory` });
});

test('certificates are tried out where a block names them', () => {
  const [certFile, keyFile] = [`${certificates}server.pem`, `${certificates}server-key.pem`];
  assert.equal(checkTls({ ...defaultTls(), certFile, keyFile }), undefined);
  assert.equal(checkTls({ ...defaultTls(), insecure: true }), undefined);
  assert.match(
    checkTls({ ...defaultTls(), certFile: '/nowhere/c.pem', keyFile }) ?? '',
    /\/nowhere\/c\.pem: no such file or directory/,
  );
  assert.match(
    checkTls({ ...defaultTls(), certFile, keyFile: `${certificates}client-key.pem` }) ?? '',
    /private key does not match/,
  );
  assert.match(checkTls({ ...defaultTls(), certs: [{ certFile, keyFile: certFile }] }) ?? '', /error parsing X509 certificate/);
});
