// How long syncs take, counted in buckets: what an acknowledgement waits for, as operators see it.

import type { Clock } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import type { MetricHistogram } from '../../ports/metrics.ts';

const boundsSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class SyncTimes {
  readonly #clock: Clock;
  readonly #counts = boundsSeconds.map(() => 0);
  #count = 0;
  #sumSeconds = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The disk's syncs, measured. */
  over(disk: Pick<Disk, 'sync'>): Pick<Disk, 'sync'> {
    return {
      sync: (files, done) => {
        const fromMs = this.#clock.monotonicMs();
        disk.sync(files, (failures) => {
          this.#took((this.#clock.monotonicMs() - fromMs) / 1000);
          done(failures);
        });
      },
    };
  }

  #took(seconds: number): void {
    this.#count += 1;
    this.#sumSeconds += seconds;
    for (let at = boundsSeconds.length - 1; at >= 0 && seconds <= (boundsSeconds[at] ?? 0); at--) {
      this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    }
  }

  get histogram(): MetricHistogram {
    return { bounds: boundsSeconds, counts: [...this.#counts], count: this.#count, sum: this.#sumSeconds };
  }
}
