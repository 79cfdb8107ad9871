// A server with the real ports behind it: the only place that builds them. The binary and the embed API both come through here.

import { fileURLToPath } from 'node:url';
import { isTrusting } from '../core/account/registry.ts';
import type { Options } from '../core/config/options.ts';
import { Server } from '../engine/server/server.ts';
import { Kernel } from '../kernel/kernel.ts';
import { NodeClock } from '../node/clock.ts';
import { createServerKeys, nodeCrypto } from '../node/crypto.ts';
import { nodeOcsp } from '../node/ocsp.ts';
import { NodeRandom } from '../node/random.ts';
import { listenTcp } from '../node/tcp.ts';
import { listenTls } from '../node/tls.ts';
import { loadKernel } from '../node/wasm.ts';
import { listenWebSocket } from '../node/websocket.ts';
import type { Log } from '../ports/log.ts';
import type { Listeners } from '../ports/listen.ts';
import { NodeProcess } from '../node/process.ts';
import { SystemService } from '../ops/system/service.ts';
import { shownArguments } from './command-line.ts';
import { newIdentity } from './identity.ts';
import { accountSource } from './account-source.ts';
import { makeJetStream } from './jetstream.ts';
import { RUNTIME } from './version.ts';

export const plainListeners: Listeners = { tcp: listenTcp, tls: listenTls, webSocket: listenWebSocket };

/** Where the running code lies: the bundle's directory, or this file's among the sources. */
function codeDirectory(): string {
  return fileURLToPath(new URL('.', import.meta.url));
}

/** A server that is not open yet. */
export function buildServer(options: Options, log: Log, listeners = plainListeners): Server {
  const random = new NodeRandom();
  const seed = new DataView(random.bytes(8).buffer);
  const kernel = new Kernel({
    module: loadKernel('server', codeDirectory()),
    seed: [seed.getUint32(0), seed.getUint32(4)],
    cachesMatches: !options.disableSublistCache,
  });
  const clock = new NodeClock();
  const keys = createServerKeys();
  return new Server(options, {
    kernel,
    identity: newIdentity(options, keys),
    keys,
    clock,
    random,
    crypto: nodeCrypto,
    log,
    listeners,
    ocsp: nodeOcsp,
    runtime: RUNTIME,
    ...(isTrusting(options) && { accountSource: accountSource(options, clock) }),
    makeSystem: (parts) => new SystemService({ ...parts, process: new NodeProcess(shownArguments()), clock, random, log }),
    makeJetStream: (parts) => makeJetStream(parts, { clock, random, log, crypto: nodeCrypto }),
  });
}
