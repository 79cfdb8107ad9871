/**
 * Which servers the interoperability tests run on: Slipstream, and whatever INTEROP_SERVERS names (`slipstream,nats-server`), so that a
 * doubted expectation can be tried on the real server.
 */
import { skipWithout } from '../support/peers.ts';
import type { ServerKind } from '../support/server.ts';

export interface Target {
  readonly kind: ServerKind;
  readonly skip: string | false;
}

const known: readonly ServerKind[] = ['slipstream', 'nats-server'];

export const targets: readonly Target[] = (process.env['INTEROP_SERVERS'] ?? 'slipstream')
  .split(',')
  .filter((name): name is ServerKind => known.some((kind) => kind === name))
  .map((kind) => ({ kind, skip: kind === 'nats-server' ? skipWithout('nats-server') : false }));
