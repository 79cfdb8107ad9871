// The log in a syslog: datagrams, streams that break and come back, journald's stream, and what is said when there is none.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { openLogOrSyslog } from '../../../ts/node/log.ts';
import type { LogOptions } from '../../../ts/node/log.ts';
import { Syslog } from '../../../ts/node/syslog.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const settings: LogOptions = {
  ...{ debug: false, trace: false, logtime: true, logtimeUtc: true, logFile: '', logSizeLimit: 0, logMaxNum: 0 },
  ...{ syslog: false, remoteSyslog: '' },
};

class Receiver {
  text = '';
  readonly sockets: Socket[] = [];
  readonly server: Server;
  #changed = (): void => {};

  private constructor() {
    this.server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        this.text += bytes.toString();
        this.#changed();
      });
      this.#changed();
    });
  }

  static async at(t: TestContext, where: { path: string } | { host: string; port: number }): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.server.listen(where);
    await once(receiver.server, 'listening');
    t.after(() => {
      for (const socket of receiver.sockets) socket.destroy();
      receiver.server.close();
    });
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#changed = resolve));
  }
}

const nowhere = { paths: [] as string[], journal: '/nonexistent/journal' };

test('lines go to a syslog over UDP, one a datagram', async (t) => {
  const receiver = createSocket('udp4');
  t.after(() => receiver.close());
  receiver.bind(0, '127.0.0.1');
  await once(receiver, 'listening');
  const log = await openLogOrSyslog({ ...settings, remoteSyslog: `udp://127.0.0.1:${receiver.address().port}` }, 'nats-server');
  for (const [write, severity] of [
    [() => log.info('one'), 5],
    [() => log.fatal('two'), 2],
  ] as const) {
    const arrived = once(receiver, 'message') as Promise<[Buffer]>;
    write();
    const [bytes] = await arrived;
    assert.match(bytes.toString(), new RegExp(`^<${severity}>\\S+T\\S+ \\S+ nats-server\\[${process.pid}\\]: (one|two)\n$`));
  }
  log.close();
});

test('a stream to a syslog that breaks is made again, and what was lost between is counted', async (t) => {
  const receiver = await Receiver.at(t, { host: '127.0.0.1', port: 0 });
  const syslog = await Syslog.open(`tcp://127.0.0.1:${receiver.port}`, 'nats-server');
  syslog.send('info', 'one');
  await receiver.until(() => receiver.text.includes(': one\n'));
  const [first] = receiver.sockets as [Socket];
  const gone = once(first, 'close');
  first.destroy();
  await gone;
  // Lines sent before this side knows of the end are lost unseen, those in the moment behind it are counted.
  while (!receiver.text.includes('dropped')) {
    syslog.send('info', 'more');
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(receiver.text, /<4>.*: \d+ log lines were dropped, the syslog did not take them\n/);
  syslog.close();
});

test('a syslog of this machine is found where it takes a stream', async (t) => {
  const path = join(temporaryFolder(), 'log');
  const receiver = await Receiver.at(t, { path });
  const syslog = await Syslog.open('', 'nats-server', { ...nowhere, paths: ['/nonexistent/log', path] });
  syslog.send('warn', 'careful');
  await receiver.until(() => receiver.text !== '');
  assert.match(receiver.text, /^<28>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d nats-server\[\d+\]: careful\n$/);
  syslog.close();
});

test('where there is only journald, it has the lines', async (t) => {
  const journal = join(temporaryFolder(), 'stdout');
  const receiver = await Receiver.at(t, { path: journal });
  const syslog = await Syslog.open('', 'nats-server', { ...nowhere, journal });
  syslog.send('error', 'bad');
  await receiver.until(() => receiver.text.includes('bad'));
  assert.equal(receiver.text, 'nats-server\n\n29\n1\n1\n0\n0\n<3>bad\n');
  syslog.close();
});

test('what cannot be had is said in one line', async (t) => {
  await assert.rejects(Syslog.open('', 'x', nowhere), { message: 'error connecting to syslog: "Unix syslog delivery error"' });
  const gone = await Receiver.at(t, { host: '127.0.0.1', port: 0 });
  const { port } = gone;
  gone.server.close();
  await once(gone.server, 'close');
  await assert.rejects(Syslog.open(`tcp://127.0.0.1:${port}`, 'x'), /^Error: error connecting to syslog: "connect ECONNREFUSED/);
  await assert.rejects(openLogOrSyslog({ ...settings, remoteSyslog: 'x' }, 'x'), { message: 'error invalid network type: ""' });
});

test('a reload moves the lines to another syslog once that can take them, and keeps them where they are when it cannot', async (t) => {
  const [one, two] = [await Receiver.at(t, { host: '127.0.0.1', port: 0 }), await Receiver.at(t, { host: '127.0.0.1', port: 0 })];
  const to = (port: number): LogOptions => ({ ...settings, remoteSyslog: `tcp://127.0.0.1:${port}` });
  const log = await openLogOrSyslog(to(one.port), 'nats-server');
  log.apply({ ...to(one.port), remoteSyslog: 'nonsense' });
  await one.until(() => one.text.includes('error invalid network type: "", lines go where they went'));
  log.apply(to(two.port));
  await two.until(() => two.sockets.length > 0);
  for (let n = 0; !two.text.includes('line'); n++) {
    log.info(`line ${n}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  log.close();
});
