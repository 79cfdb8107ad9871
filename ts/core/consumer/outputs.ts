// What a consumer machine and its parts have to say, in order, until the driver takes it. Most consumers are idle and have nothing to say, so
// they share one empty list.

import type { ConsumerOutput } from './contract.ts';

const nothing: readonly ConsumerOutput[] = [];

export class Outputs {
  #said: ConsumerOutput[] | undefined;

  say(output: ConsumerOutput): void {
    (this.#said ??= []).push(output);
  }

  take(): readonly ConsumerOutput[] {
    const said = this.#said ?? nothing;
    this.#said = undefined;
    return said;
  }
}
