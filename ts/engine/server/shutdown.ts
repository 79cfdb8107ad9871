// The end of all clients at once, when the server stops.

import type { Clock } from '../../ports/clock.ts';
import type { Sessions } from '../session/sessions.ts';

/** How long ended connections may take to let their last bytes go. */
const FAREWELL_MS = 1000;
const FAREWELL_CHECK_MS = 5;

/**
 * Ends every client and waits until what was queued for them has left (`unfinished` is 0), for a second at most. Whether they close from
 * their side is not waited for.
 */
export async function endAll(sessions: Sessions, unfinished: () => number, clock: Clock): Promise<void> {
  if (sessions.size === 0) return;
  sessions.endAll('serverShutdown');
  const until = clock.monotonicMs() + FAREWELL_MS;
  do await new Promise<void>((resolve) => clock.after(FAREWELL_CHECK_MS, resolve));
  while (unfinished() > 0 && clock.monotonicMs() < until);
}
