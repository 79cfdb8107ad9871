// Slices of long work are turns of the event loop.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SliceClock } from '../lib/in-slices.ts';

export const turnsOfLoop: SliceClock = { monotonicMs: () => performance.now(), pause: () => nextTurn() };
