// Who this process is on the network: fresh keys at each start, the name from the options or the id.

import type { Options } from '../core/config/options.ts';
import type { ServerIdentity } from '../engine/session/server-info.ts';
import type { ServerKeys } from '../ports/crypto.ts';
import { API_LEVEL, COMPATIBLE_VERSION, RUNTIME } from './version.ts';

export function newIdentity(options: Options, { serverId, xkey }: ServerKeys): ServerIdentity {
  return {
    serverId,
    serverName: options.serverName === '' ? serverId : options.serverName,
    version: COMPATIBLE_VERSION,
    gitCommit: '',
    go: RUNTIME,
    xkey,
    apiLevel: API_LEVEL,
  };
}
