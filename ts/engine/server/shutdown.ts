// The end of all clients at once, when the server stops.

import type { Clock } from '../../ports/clock.ts';
import type { Sessions } from '../session/sessions.ts';

/** How long ended connections may take to let their last bytes go. */
const FAREWELL_MS = 1000;
const FAREWELL_CHECK_MS = 5;

/** Ends every client and waits until `open` is 0, for a second at most. */
export async function endAll(sessions: Sessions, open: () => number, clock: Clock): Promise<void> {
  sessions.endAll('serverShutdown');
  const until = clock.monotonicMs() + FAREWELL_MS;
  while (open() > 0 && clock.monotonicMs() < until) {
    await new Promise<void>((resolve) => clock.after(FAREWELL_CHECK_MS, resolve));
  }
}
