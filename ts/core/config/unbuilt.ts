// Keys that make a server stricter, whose feature is not built yet. The server starts with them and says so once, but what would need the
// missing feature is refused: it is never open where it was to be closed.
// Kept true: when one of these features is built, its line here goes.

import type { Options } from './options.ts';

const PROTECTIONS: readonly string[] = ['ocsp_peer'];

/** What the log says once about a key whose feature is still to come; `feature` may have the blocks around it in front. */
export function pendingText(feature: string): string {
  const key = feature.slice(feature.lastIndexOf('.') + 1);
  const effect = PROTECTIONS.includes(key) ? 'clients that would need it are refused' : 'it has no effect';
  return `"${feature}" is known, but what it configures is not built yet: ${effect}`;
}

/** Nobody can show that they may come in, since what would prove it is not built. */
export function isLocked({ tls }: Options): boolean {
  return tls?.ocspPeer?.verify === true;
}
