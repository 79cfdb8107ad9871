// How fast a lame duck closes its clients: evenly over the time left behind the grace period, one by one while there is time for that,
// several at once where there are more clients than milliseconds.

const LONGEST_PAUSE_MS = 1_000;
const SHORTEST_PAUSE_MS = 1;

export interface LameDuckPace {
  readonly clientsAtOnce: number;
  /** Wait between half and all of this behind each. */
  readonly pauseMs: number;
}

export function lameDuckPace(clients: number, durationMs: number, graceMs: number): LameDuckPace {
  const timeMs = Math.max(0, durationMs - graceMs);
  const pauseMs = clients === 0 ? 0 : timeMs / clients;
  if (pauseMs >= SHORTEST_PAUSE_MS) return { clientsAtOnce: 1, pauseMs: Math.min(pauseMs, LONGEST_PAUSE_MS) };
  return { clientsAtOnce: timeMs === 0 ? Math.max(1, clients) : Math.ceil(clients / timeMs), pauseMs: SHORTEST_PAUSE_MS };
}
