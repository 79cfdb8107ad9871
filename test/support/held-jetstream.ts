/** The whole of JetStream over the real kernel, a clock the test moves and a disk whose syncs end when the test says so. */
import type { TestContext } from 'node:test';
import { silentLog } from '../../ts/app/silent-log.ts';
import type { Options } from '../../ts/core/config/options.ts';
import type { Broker } from '../../ts/engine/broker/broker.ts';
import { BrokerDoor } from '../../ts/engine/jetstream/broker-door.ts';
import { JetStream } from '../../ts/engine/jetstream/jetstream.ts';
import { ServerStore } from '../../ts/engine/store/server-store.ts';
import type { Disk } from '../../ts/ports/disk.ts';
import { streamEvent } from '../../ts/kernel/streams.ts';
import { nodeCiphers } from '../../ts/node/ciphers.ts';
import { nodeCrypto } from '../../ts/node/crypto.ts';
import { NodeRandom } from '../../ts/node/random.ts';
import { serverLimits, unlimited } from './jetstream-limits.ts';
import { TestBroker, type TestPeer } from './broker.ts';
import { VolatileDisk } from './volatile-disk.ts';
import { VolatileJobs } from './volatile-jobs.ts';

export interface Held {
  readonly broker: Broker;
  readonly clock: TestBroker['clock'];
  readonly peer: TestPeer;
  /** Publishes with a reply subject and tells what the client heard of it at once. */
  ask(subject: string, payload: string, reply?: string): string;
  /** How many publishes the kernel handed to the host. */
  handed(): number;
  /** All syncs end, also those that begin meanwhile; what the client heard then. */
  release(): Promise<string>;
  /** One sync ends and a millisecond passes; what the client heard then. */
  step(): Promise<string>;
  /** The sync under way fails; what the client heard then. */
  failSync(code: string): string;
  /** What a power failure at this moment would leave on the disk. */
  readonly leaveIn: VolatileDisk['leaveIn'];
}

/** `seen` is the disk as the server sees it. */
export async function held(
  context: TestContext,
  log = silentLog,
  maximumPages = 65536,
  options: Partial<Options> = {},
  seen: (disk: Disk) => Disk = (disk) => disk,
): Promise<Held> {
  const disk = new VolatileDisk();
  const used = seen(disk);
  disk.makeDirectory('/js');
  disk.syncDirectory('/');
  const test = new TestBroker(options, { log, maximumPages });
  const { broker, clock } = test;
  const store: ServerStore = new ServerStore(
    { root: '/js', syncIntervalMs: 0 },
    {
      ...{ kernel: test.kernel, disk: used, jobs: new VolatileJobs(used), ciphers: nodeCiphers, clock, log: silentLog },
      turn: (work) => broker.turn(work),
      soon: (call) => broker.soon(call),
      closed: () => {},
    },
  );
  const door = new BrokerDoor(broker);
  const limits = serverLimits({ perStream: 50, total: 1000, messages: 12, timeoutMs: 10_000 });
  const settings = { serverName: 'held', domain: '', strict: true, maxPayloadBytes: 1 << 20, limits };
  const ports = { door, store, clock, random: new NodeRandom(), log: silentLog, crypto: nodeCrypto };
  const jetstream = new JetStream(ports, settings);
  let handed = 0;
  broker.events.toJetStream({
    ack: (message) => door.ack(message),
    store(type, words, at) {
      if (type === streamEvent.publish) handed++;
      store.event(type, words, at);
    },
  });
  await jetstream.enable('$G', broker.accounts.get('$G').handle, unlimited);

  const peer = test.peer();
  const step = async (): Promise<string> => {
    disk.finishSync();
    clock.advance(1);
    await new Promise((resolve) => setImmediate(resolve));
    return peer.heard();
  };
  const release = async (): Promise<string> => {
    let text = '';
    for (let round = 0; round < 30; round++) text += await step();
    return text;
  };
  context.after(async () => {
    const stopped = jetstream.stop();
    for (let round = 0; round < 60; round++) await step();
    await stopped;
  });
  return {
    broker,
    clock,
    peer,
    release,
    step,
    failSync(code) {
      disk.failSync(code);
      return peer.heard();
    },
    leaveIn: (...how) => disk.leaveIn(...how),
    handed: () => handed,
    ask(subject, payload, reply = 'r') {
      peer.say(`PUB ${subject} ${reply} ${payload.length}\r\n${payload}\r\n`);
      return peer.heard();
    },
  };
}
