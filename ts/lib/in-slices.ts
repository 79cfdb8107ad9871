// Long work in slices of some milliseconds, so that others get their turns in between.

/** How long a slice may be. */
const SLICE_MS = 4;

export interface SliceClock {
  monotonicMs(): number;
  /** Resolves when others had their turn. */
  pause(): Promise<void>;
}

/** Turns of the server's clock. */
export function turnsOf(clock: { monotonicMs(): number; after(delayMs: number, call: () => void): unknown }): SliceClock {
  return {
    monotonicMs: () => clock.monotonicMs(),
    pause: () => new Promise((resolve) => void clock.after(0, resolve)),
  };
}

async function goOn<T>(items: Iterator<T>, take: (item: T) => void, clock: SliceClock): Promise<void> {
  do await clock.pause();
  while (!slice(items, take, clock));
}

/** False: the time is up, and there may be more. */
function slice<T>(items: Iterator<T>, take: (item: T) => void, clock: SliceClock): boolean {
  const end = clock.monotonicMs() + SLICE_MS;
  do {
    const next = items.next();
    if (next.done === true) return true;
    take(next.value);
  } while (clock.monotonicMs() < end);
  return false;
}

/** Takes all items, which are made as they are taken. Undefined: that was done at once. Rejects with what making or taking throws. */
export function inSlices<T>(items: Iterable<T>, take: (item: T) => void, clock: SliceClock): Promise<void> | undefined {
  const iterator = items[Symbol.iterator]();
  return slice(iterator, take, clock) ? undefined : goOn(iterator, take, clock);
}
