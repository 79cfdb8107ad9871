/** What an operator relies on around the process: pid and ports files, log file, signals from a second process, exits, and secrets kept. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { ServerProcess } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { WireClient } from '../support/wire.ts';

async function eventually(holds: () => boolean, what: () => string): Promise<void> {
  for (const end = Date.now() + patienceMs; !holds();) {
    assert.ok(Date.now() < end, what());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function command(...args: readonly string[]): Promise<{ code: number | null; log: string }> {
  const process = ServerProcess.run('slipstream', args);
  const { code } = await process.exited;
  return { code, log: process.log };
}

test('pid and ports files tell where the server is; the ports files go with it, the pid file stays', async () => {
  const folder = temporaryFolder();
  const pidFile = join(folder, 'pid');
  const server = await ServerProcess.start('slipstream', { args: ['-P', pidFile, '--ports_file_dir', folder, '-m', '-1'] });
  await eventually(
    () => readdirSync(folder).length === 3,
    () => readdirSync(folder).join(' '),
  );
  assert.equal(readFileSync(pidFile, 'utf8'), String(server.pid));
  const ports = JSON.parse(readFileSync(join(folder, `nats-server_${server.pid}.ports`), 'utf8')) as Record<string, string[]>;
  assert.deepEqual(ports, {
    nats: [`nats://127.0.0.1:${server.port}`],
    monitoring: [`http://127.0.0.1:${server.portOf('monitoring')}`],
  });
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.deepEqual(readdirSync(folder), ['pid']);
});

test('another process reopens the log, reloads and ends the server by its pid file', async () => {
  const folder = temporaryFolder();
  const logFile = join(folder, 'server.log');
  const pidFile = join(folder, 'pid');
  const config = `port: -1\nlog_file: "${logFile}"\npid_file: "${pidFile}"\n`;
  const server = ServerProcess.run('slipstream', [], { folder, config });
  const content = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const logged = (text: string): Promise<void> =>
    eventually(
      () => content().includes(text),
      () => `no ${text} in ${content()}`,
    );
  await logged('Server is ready');

  renameSync(logFile, `${logFile}.1`);
  assert.equal((await command('--signal', `reopen=${pidFile}`)).code, 0);
  await logged('File log re-opened');

  server.writeConfig(`${config}max_payload: 2048\n`);
  assert.equal((await command('-sl', `reload=${server.pid}`)).code, 0);
  await logged('Reloaded server configuration');

  assert.equal((await command(`--signal=quit=${pidFile}`)).code, 0);
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  assert.match(content(), /Server Exiting\.\.\n$/);
  assert.equal(server.log, '');
});

test('signals that cannot be sent are one clear line and exit code 1', async () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['jump=1', /unknown signal "jump"/],
    ['stop=99999999', /signal "stop" 99999999: no such process/],
    ['reload=/nonexistent/pid', /invalid pid: \/nonexistent\/pid/],
  ];
  for (const [request, text] of rows) {
    const { code, log } = await command('--signal', request);
    assert.equal(code, 1, request);
    assert.match(log.trim(), text);
  }
});

test('a start that cannot go on is a line with the reason and exit code 1', async () => {
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [['-p', '-1', '-P', '/nonexistent/pid'], /\[FTL\] Could not write pidfile: .*\/nonexistent\/pid/],
    [['-p', '-1', '-l', '/nonexistent/log'], /^nats-server: error opening log file: .*\/nonexistent\/log/],
  ];
  for (const [args, text] of rows) {
    const { code, log } = await command(...args);
    assert.equal(code, 1, args.join(' '));
    assert.match(log.trim(), text);
  }
});

test('a traced subscription is a line of its own, and no password is in the log or the process list', async () => {
  const server = await ServerProcess.start('slipstream', { args: ['-V', '--user', 'bob', '--pass', 's3cret', '-m', '-1'] });
  const client = await WireClient.connect(server.port);
  await client.write('CONNECT {"user":"bob","pass":"s3cret","verbose":false}\r\nSUB a.b  7\r\nPING\r\n');
  await client.through('PONG\r\n');
  await server.waitForLog(/127\.0\.0\.1:\d+ - cid:\d+ - "\$G\/user:bob" - <<- \[SUB a\.b {2}7\]/);
  assert.doesNotMatch(server.log, /s3cret/);
  assert.doesNotMatch(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8'), /s3cret/);
  const vars = await (await fetch(`http://127.0.0.1:${server.portOf('monitoring')}/debug/vars`)).text();
  assert.match(vars, /"--pass","\[REDACTED\]"/);
  await client.close();
  await server.stop();
});

test('what is told of streams and consumers is of those that are there', async () => {
  const server = await ServerProcess.start('slipstream', { args: ['-js', '-sd', temporaryFolder(), '-m', '-1'] });
  const client = await connect({ servers: `127.0.0.1:${server.port}` });
  const ask = async (subject: string, body?: object): Promise<void> => {
    const answer: { error?: unknown } = (await client.request(`$JS.API.${subject}`, body && JSON.stringify(body))).json();
    assert.equal(answer.error, undefined, subject);
  };
  for (const name of ['A', 'B']) {
    await ask(`STREAM.CREATE.${name}`, { name, subjects: [name] });
    await ask(`CONSUMER.DURABLE.CREATE.${name}.C`, { stream_name: name, config: { durable_name: 'C', ack_policy: 'explicit' } });
    await client.request(name, 'stored');
  }
  await ask('STREAM.DELETE.B');
  const get = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${server.portOf('monitoring')}${path}`)).text();
  const lines = (await get('/metrics'))
    .split('\n')
    .filter((line) => /^nats_(stream_messages|consumer_pending_messages)\{/.test(line));
  assert.deepEqual(lines, [
    'nats_stream_messages{account="$G",stream="A"} 1',
    'nats_consumer_pending_messages{account="$G",stream="A",consumer="C"} 1',
  ]);
  const { account_details: [account] = [] } = JSON.parse(await get('/jsz?consumers=1&config=1')) as {
    account_details?: { stream_detail: { name: string; state: { messages: number }; consumer_detail: { name: string }[] }[] }[];
  };
  const details = account?.stream_detail.map(({ name, state, consumer_detail }) => [
    name,
    state.messages,
    consumer_detail[0]?.name,
  ]);
  assert.deepEqual(details, [['A', 1, 'C']]);
  assert.equal(await get('/healthz'), '{"status":"ok"}');
  await client.close();
  await server.stop();
});
