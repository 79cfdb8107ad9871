// JetStream with the real disk behind it.

import type { Options } from '../core/config/options.ts';
import { JetStreamService } from '../engine/jetstream/life.ts';
import type { JetStreamLife, JetStreamParts } from '../engine/server/jetstream-life.ts';
import { ServerStore } from '../engine/store/server-store.ts';
import { cipherProblem, nodeCiphers } from '../node/ciphers.ts';
import { NodeDisk } from '../node/disk.ts';
import { NodeJobs } from '../node/jobs.ts';
import { RoundStart } from '../node/round-start.ts';
import { logJetStreamBanner } from '../ops/banner.ts';
import type { CipherName } from '../ports/ciphers.ts';
import type { Clock } from '../ports/clock.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import { machineLimits } from './machine-limits.ts';
import { takeStoreDirectory } from './store-directory.ts';
import { API_LEVEL } from './version.ts';

export interface JetStreamNodePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly crypto: Pick<Crypto, 'sha256'>;
}

/** The cipher of encryption at rest. Throws one clear line when this machine does not have it. */
function encryptionCipher({ jetstream }: Options): CipherName {
  const cipher = jetstream.cipher === '' ? 'chacha' : jetstream.cipher;
  const problem = cipherProblem(cipher);
  if (problem !== undefined) throw new Error(`Can't start JetStream: no cipher ${cipher} here: ${problem}`);
  return cipher;
}

/** Builds JetStream for a server. Rejects when the store directory cannot be had. */
export async function makeJetStream(parts: JetStreamParts, ports: JetStreamNodePorts): Promise<JetStreamLife> {
  const { options, broker } = parts;
  const { syncIntervalMs, key, prevKey } = options.jetstream;
  const encryption = key === '' ? {} : { encryption: { key, prevKey, cipher: encryptionCipher(options) } };
  const { path: storeDir, lock } = takeStoreDirectory(options.jetstream.storeDir, ports.log);
  const { maxMemory, maxFile } = await machineLimits(options.jetstream, storeDir);
  const facts = { storeDir, maxMemory, maxStorage: maxFile };
  logJetStreamBanner(ports.log, { ...facts, apiLevel: API_LEVEL }, options);
  const starts = new RoundStart({
    turns: () => broker.turns,
    soon: (call) => broker.soon(call),
    turn: (work) => broker.turn(work),
  });
  const store = new ServerStore(
    {
      root: storeDir,
      syncIntervalMs: syncIntervalMs === 'always' ? 0 : syncIntervalMs,
      ...encryption,
    },
    {
      kernel: broker.kernel,
      disk: new NodeDisk(
        (reason) => ports.log.warn(`Stream files are read, not mapped: mmap-io cannot be loaded (${reason})`),
        ({ message }) => ports.log.warn(`What was removed stays until the next start: ${message}`),
      ),
      jobs: new NodeJobs(),
      ciphers: nodeCiphers,
      clock: ports.clock,
      log: ports.log,
      turn: (work) => broker.turn(work),
      // Where rounds are synced, those that come together meet in the one behind the sync under way.
      soon: syncIntervalMs === 'always' ? (call) => broker.soon(call) : starts.begin,
      closed: () => lock.release(),
    },
  );
  return new JetStreamService(parts, facts, store, ports, (type, words, at) => store.event(type, words, at));
}
