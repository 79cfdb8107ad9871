/**
 * Loads that `nats bench` has no command for, made by a raw client of our own: very many subscriptions, publishes over all of their subjects
 * so that no cache of matches helps, and very many connections.
 */
import { connect, type Socket } from 'node:net';

interface RawClient {
  readonly socket: Socket;
  /** Resolves when a PONG has come for every ping. */
  synced(): Promise<void>;
}

/** Connects, says CONNECT, and counts PONGs; everything else received is dropped. */
function rawClient(port: number): Promise<RawClient> {
  return new Promise((resolve, reject) => {
    const waiting: Array<() => void> = [];
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    let tail = '';
    socket.on('data', (chunk: Buffer) => {
      const text = tail + chunk.toString('latin1');
      if (text.includes('-ERR')) socket.destroy(new Error(text.slice(text.indexOf('-ERR'), text.indexOf('-ERR') + 80)));
      for (let at = text.indexOf('PONG\r\n'); at >= 0; at = text.indexOf('PONG\r\n', at + 6)) waiting.shift()?.();
      tail = text.endsWith('\r\n') ? '' : text.slice(text.lastIndexOf('\n') + 1);
    });
    const synced = (): Promise<void> => {
      socket.write('PING\r\n');
      return new Promise((pong, failed) => {
        waiting.push(pong);
        socket.once('error', failed);
      });
    };
    socket.write('CONNECT {"verbose":false,"pedantic":false}\r\n');
    synced().then(() => resolve({ socket, synced }), reject);
  });
}

/** Subjects of three tokens; every tenth has a wildcard in its place. */
function subjectOf(index: number): string {
  return index % 10 === 9 ? `bench.${index}.*` : `bench.${index}.leaf`;
}

async function writeAll(socket: Socket, count: number, line: (index: number) => string): Promise<void> {
  const atOnce = 2000;
  for (let from = 0; from < count; from += atOnce) {
    let text = '';
    for (let index = from; index < Math.min(from + atOnce, count); index++) text += line(index);
    if (!socket.write(text)) await new Promise((resolve) => socket.once('drain', resolve));
  }
}

export interface SubscriptionLoad {
  readonly subscribesPerSecond: number;
  readonly publishesPerSecond: number;
  readonly end: () => void;
}

/** Subscribes over four connections, then publishes once to each subject from a fifth. */
export async function subscriptionLoad(port: number, total: number): Promise<SubscriptionLoad> {
  const clients = await Promise.all([0, 1, 2, 3].map(() => rawClient(port)));
  const publisher = await rawClient(port);
  const each = Math.floor(total / clients.length);
  const subscribing = performance.now();
  await Promise.all(
    clients.map(async ({ socket, synced }, client) => {
      await writeAll(socket, each, (index) => `SUB ${subjectOf(client * each + index)} ${index}\r\n`);
      await synced();
    }),
  );
  const publishing = performance.now();
  await writeAll(publisher.socket, each * clients.length, (index) => `PUB bench.${index}.leaf 2\r\nhi\r\n`);
  await publisher.synced();
  await Promise.all(clients.map(({ synced }) => synced()));
  const done = performance.now();
  return {
    subscribesPerSecond: (each * clients.length * 1000) / (publishing - subscribing),
    publishesPerSecond: (each * clients.length * 1000) / (done - publishing),
    end: () => {
      for (const { socket } of [...clients, publisher]) socket.destroy();
    },
  };
}

export interface ConnectionLoad {
  readonly connectionsPerSecond: number;
  readonly end: () => void;
}

/** Opens connections, a hundred under way at a time, each with one subscription, and holds them. */
export async function connectionLoad(port: number, total: number): Promise<ConnectionLoad> {
  const held: Socket[] = [];
  const started = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < total) {
      const index = next++;
      const { socket, synced } = await rawClient(port);
      held.push(socket);
      socket.write(`SUB held.${index} 1\r\n`);
      await synced();
    }
  };
  await Promise.all(Array.from({ length: 100 }, lane));
  const connectionsPerSecond = (total * 1000) / (performance.now() - started);
  return {
    connectionsPerSecond,
    end: () => {
      for (const socket of held) socket.destroy();
    },
  };
}
