/** Pid file, ports file and signals: what others find of a running server, and how they reach it. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writePidFile, writePortsFile } from '../../../ts/node/files.ts';
import { sendSignal, type SignalWorld } from '../../../ts/node/send-signal.ts';
import { onSignals } from '../../../ts/node/signals.ts';
import { patienceMs } from '../../support/patience.ts';
import { temporaryFolder } from '../../support/temporary.ts';

test('the pid file is digits alone, for its owner only', () => {
  const path = join(temporaryFolder(), 'pid');
  writePidFile(path);
  assert.equal(readFileSync(path, 'utf8'), String(process.pid));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a pid file that cannot be written is one clear line', () => {
  assert.throws(() => writePidFile('/nonexistent/pid'), /^Error: Could not write pidfile: ENOENT.*\/nonexistent\/pid/);
});

test('the ports file carries both names, nothing unfinished beside it, and goes when told', () => {
  const folder = temporaryFolder();
  const file = writePortsFile(folder, '/usr/bin/slipstream', {
    nats: { scheme: 'nats', host: '127.0.0.1', port: 4222 },
    websocket: { scheme: 'ws', host: '::1', port: 8080 },
  });
  const names = [`nats-server_${process.pid}.ports`, `slipstream_${process.pid}.ports`];
  assert.deepEqual(readdirSync(folder).sort(), names);
  for (const name of names) {
    assert.equal(readFileSync(join(folder, name), 'utf8'), '{"nats":["nats://127.0.0.1:4222"],"websocket":["ws://[::1]:8080"]}');
  }
  file.remove();
  file.remove();
  assert.deepEqual(readdirSync(folder), []);
});

test('a program called nats-server writes one ports file', () => {
  const folder = temporaryFolder();
  writePortsFile(folder, '/opt/nats-server', { nats: { scheme: 'nats', host: 'localhost', port: 1 } });
  assert.deepEqual(readdirSync(folder), [`nats-server_${process.pid}.ports`]);
});

test('a listener on all addresses is told with a local IPv4 address first', () => {
  const folder = temporaryFolder();
  writePortsFile(folder, 'nats-server', { nats: { scheme: 'nats', host: '0.0.0.0', port: 7 } });
  const text = readFileSync(join(folder, `nats-server_${process.pid}.ports`), 'utf8');
  const { nats } = JSON.parse(text) as { nats: string[] };
  assert.match(nats[0] ?? '', /^nats:\/\/\d+\.\d+\.\d+\.\d+:7$/);
});

test('a ports folder that does not exist is an error that names the file', () => {
  assert.throws(() => writePortsFile('/nonexistent', 'nats-server', {}), /\/nonexistent\/nats-server_\d+\.ports/);
});

const running: Readonly<Record<number, readonly string[]>> = {
  9: ['/usr/bin/nats-server', '-js'],
  42: ['node', '--max-old-space-size=100', '/srv/dist/main.js', '-c', 'x.conf'],
  45: ['/usr/bin/node', '/usr/local/bin/slipstream'],
  46: ['node', '/srv/dist/main.js', '--signal', 'reload'],
  50: ['vim', 'nats-server.conf'],
  51: ['node', '/srv/other/dist/server.js'],
};

function world(pids: readonly number[], files: Readonly<Record<string, string>> = {}): SignalWorld & { readonly sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    ownPid: 1,
    processes: () => new Map(pids.map((pid) => [pid, running[pid] ?? []])),
    readText: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('ENOENT');
      return text;
    },
    kill: (pid, signal) => {
      if (pid === 99) throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' });
      sent.push(`${signal} ${pid}`);
    },
  };
}

const everything = [9, 42, 45, 46, 50, 51];

const sendings: readonly (readonly [request: string, pids: readonly number[], sent: readonly string[]])[] = [
  ['reload=7', [], ['SIGHUP 7']],
  ['stop', [9, 50], ['SIGKILL 9']],
  ['ldm', [42, 46, 51], ['SIGUSR2 42']],
  ['reopen', [45], ['SIGUSR1 45']],
  ['quit=4*', everything, ['SIGINT 42', 'SIGINT 45']],
  ['term=*', everything, ['SIGTERM 9', 'SIGTERM 42', 'SIGTERM 45']],
  ['quit=/run/pid', [], ['SIGINT 77']],
  ['stop=', [9], ['SIGKILL 9']],
];

for (const [request, pids, sent] of sendings) {
  test(`--signal ${request} signals ${sent.join(' and ')}`, () => {
    const outside = world(pids, { '/run/pid': '77\n' });
    sendSignal(request, outside);
    assert.deepEqual(outside.sent, sent);
  });
}

const refusals: readonly (readonly [request: string, pids: readonly number[], message: string])[] = [
  ['reload', [], 'no nats-server processes running'],
  ['reload', everything, 'multiple nats-server processes running:\n9\n42\n45'],
  ['jump=7', [], 'unknown signal "jump"'],
  ['stop=99', [], 'signal "stop" 99: no such process'],
  ['stop=/run/none', [], 'invalid pid: /run/none'],
  ['stop=/run/words', [], 'invalid pid: some words'],
  ['stop=-5', [], 'invalid pid: -5'],
];

for (const [request, pids, message] of refusals) {
  test(`--signal ${request} is refused: ${message.split('\n')[0]}`, () => {
    const outside = world(pids, { '/run/words': 'some words' });
    assert.throws(() => sendSignal(request, outside), { message });
    assert.deepEqual(outside.sent, []);
  });
}

test('a signal of this process reaches the handler it is for, after its name was told', async () => {
  const told: string[] = [];
  const handler = (name: string) => (): void => void told.push(name);
  const reloaded = new Promise<void>((resolve) => {
    const stop = onSignals(
      {
        quit: handler('quit'),
        term: handler('term'),
        reopen: handler('reopen'),
        lameDuck: handler('ldm'),
        reload: () => {
          stop();
          resolve();
        },
      },
      (text) => told.push(text),
    );
  });
  const path = join(temporaryFolder(), 'pid');
  writeFileSync(path, String(process.pid));
  sendSignal(`reopen=${path}`);
  sendSignal(`reload=${process.pid}`);
  const inTime = setTimeout(() => assert.fail(`only ${told.join(', ')} in time`), patienceMs);
  await reloaded;
  clearTimeout(inTime);
  assert.deepEqual(told.sort(), ['hangup', 'reopen', 'user defined signal 1']);
});
