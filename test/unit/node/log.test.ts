/** The log writes nats-server's lines, keeps its files within their limits and loses nothing at the end of the process. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lineFormat } from '../../../ts/lib/log-line.ts';
import { openLog, type LogOptions } from '../../../ts/node/log.ts';
import { temporaryFolder } from '../../support/temporary.ts';

function options(changes: Partial<LogOptions> = {}): LogOptions {
  return {
    debug: false,
    trace: false,
    logtime: true,
    logtimeUtc: true,
    logFile: join(temporaryFolder(), 'server.log'),
    logSizeLimit: 0,
    logMaxNum: 0,
    syslog: false,
    remoteSyslog: '',
    ...changes,
  };
}

function content(path: string): string {
  return readFileSync(path, 'utf8');
}

async function until(done: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!done()) {
    assert.ok(Date.now() < deadline, 'nothing was written within five seconds');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a line has pid, date with microseconds, tag and text', () => {
  const at = Date.UTC(2026, 10, 3, 4, 5, 6) + 7.000_5;
  const format = lineFormat({ pid: 42, time: true, utc: true, colours: false });
  assert.equal(format('warn', 'some text', at), '[42] 2026/11/03 04:05:06.007000 [WRN] some text\n');
  assert.equal(format('trace', 'x', at + 0.25), '[42] 2026/11/03 04:05:06.007250 [TRC] x\n');
  assert.equal(format('info', 'x', at + 60_000), '[42] 2026/11/03 04:06:06.007000 [INF] x\n');
});

test('without logtime there is no date, and colours only touch the tag', () => {
  const plain = lineFormat({ pid: 1, time: false, utc: false, colours: false });
  assert.equal(plain('error', 'x', 0), '[1] [ERR] x\n');
  const coloured = lineFormat({ pid: 1, time: false, utc: false, colours: true });
  assert.equal(coloured('info', 'x', 0), '[1] [\u001b[32mINF\u001b[0m] x\n');
});

test('lines go to the file in order, debug and trace only when on, and the file is not for everybody', () => {
  const settings = options();
  const log = openLog(settings);
  log.info('one');
  log.debug('hidden');
  log.trace('hidden');
  log.apply({ ...settings, debug: true, trace: true });
  log.debug('two');
  log.trace('three');
  log.close();
  assert.match(content(settings.logFile), /\[INF\] one\n.*\[DBG\] two\n.*\[TRC\] three\n$/);
  assert.doesNotMatch(content(settings.logFile), /hidden/);
  assert.equal(statSync(settings.logFile).mode & 0o777, 0o640);
});

test('a fatal line is in the file before the call returns, with all lines before it', () => {
  const settings = options();
  const log = openLog(settings);
  log.info('before');
  log.fatal('the end');
  assert.match(content(settings.logFile), /before\n.*\[FTL\] the end\n$/);
  log.close();
});

test('lines are written without being asked to, a turn later', async () => {
  const settings = options();
  const log = openLog(settings);
  log.warn('later');
  await until(() => content(settings.logFile).includes('later'));
  log.close();
});

test('a file moved away is opened anew', async () => {
  const settings = options();
  const log = openLog(settings);
  log.info('old');
  await until(() => content(settings.logFile).includes('old'));
  renameSync(settings.logFile, `${settings.logFile}.moved`);
  log.reopen();
  log.info('new');
  log.close();
  assert.match(content(settings.logFile), /File log re-opened\n.*new\n$/);
  assert.match(content(`${settings.logFile}.moved`), /old\n$/);
});

test('a file over its limit is rotated and only as many as asked for are kept', async () => {
  const settings = options({ logSizeLimit: 200, logMaxNum: 3 });
  const folder = join(settings.logFile, '..');
  const log = openLog(settings);
  for (let round = 0; round < 6; round++) {
    log.info(`round ${round} ${'x'.repeat(200)}`);
    const rotated = (name: string): boolean => name !== 'server.log' && content(join(folder, name)).includes(`round ${round} `);
    await until(() => readdirSync(folder).some(rotated) && content(settings.logFile).includes('Rotated log'));
  }
  log.close();
  const names = readdirSync(folder);
  assert.equal(names.length, 3, names.join(' '));
  const backup = /^server\.log\.\d{4}\.\d\d\.\d\d\.\d\d\.\d\d\.\d\d\.\d{9}$/;
  assert.equal(names.filter((name) => backup.test(name)).length, 2, names.join(' '));
});

test('a log file that cannot be opened is an error, on reload one that changes nothing', () => {
  assert.throws(() => openLog(options({ logFile: '/nonexistent/x.log' })), /ENOENT/);
  const settings = options();
  const log = openLog(settings);
  assert.throws(() => log.apply({ ...settings, logFile: '/nonexistent/x.log' }), /ENOENT/);
  log.info('still here');
  log.close();
  assert.match(content(settings.logFile), /still here/);
});

const source = fileURLToPath(new URL('../../../ts/node/log.ts', import.meta.url));
const quiet =
  "{ debug: false, trace: false, logtime: true, logtimeUtc: false, logFile: '', logSizeLimit: 0, logMaxNum: 0, syslog: false, remoteSyslog: '' }";

test('a process that exits at once leaves all its lines on stderr, in order', () => {
  const code = `
    import { openLog } from ${JSON.stringify(source)};
    const log = openLog(${quiet});
    for (let n = 0; n < 2000; n++) log.info('line ' + n);
    setImmediate(() => { log.info('line 2000'); setImmediate(() => { log.info('line 2001'); process.exit(3); }); });
  `;
  const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { encoding: 'utf8' });
  assert.equal(child.status, 3, child.stderr);
  const numbers = [...child.stderr.matchAll(/line (\d+)$/gm)].map(([, number]) => Number(number));
  assert.deepEqual(
    numbers,
    Array.from({ length: 2002 }, (_, at) => at),
  );
});

test('a pipe that nobody reads holds nothing up, and what did not fit comes once somebody reads', async () => {
  const code = `
    import { openLog } from ${JSON.stringify(source)};
    const log = openLog(${quiet});
    for (let n = 0; n < 5000; n++) log.info('line ' + n + 'x'.repeat(100));
    setImmediate(() => setImmediate(() => process.stdout.write('alive')));
    process.stdin.once('data', () => { log.flush(); process.exit(0); });
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code]);
  await once(child.stdout, 'data');
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    if (text.includes('line 4999')) child.stdin.write('enough\n');
  });
  const [status] = (await once(child, 'close')) as [number];
  assert.equal(status, 0);
  assert.equal(text.match(/line \d+x+$/gm)?.length, 5000);
});
