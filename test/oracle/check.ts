/**
 * Running a property so that a failure says everything needed to see it again: seed, path, the smallest input found and
 * what disagreed.
 */
import fc from 'fast-check';

export interface Effort {
  readonly runs: number;
  readonly seed?: number;
  readonly seconds?: number;
}

/** The effort of the test suite, unless the environment asks for another. */
export function effort(runs: number): Effort {
  const asked = process.env['PROPERTY_RUNS'];
  const seed = process.env['PROPERTY_SEED'];
  return { runs: asked === undefined ? runs : Number(asked), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}

function report<Values>(details: fc.RunDetails<Values>): string {
  const error = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
  const input = fc.stringify(details.counterexample);
  const shown = input.length > 20000 ? `${input.slice(0, 20000)} ... (${input.length} characters)` : input;
  return [
    `property failed after ${details.numRuns} runs and ${details.numShrinks} simplifications`,
    `see it again with PROPERTY_SEED=${details.seed}`,
    `smallest input: ${shown}`,
    error,
  ].join('\n');
}

function parameters<Values>({ runs, seed, seconds }: Effort): fc.Parameters<Values> {
  const time = seconds === undefined ? {} : { interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false };
  return { numRuns: runs, ...(seed === undefined ? {} : { seed }), ...time };
}

export function holds<Values>(property: fc.IProperty<Values>, how: Effort): number {
  const details = fc.check(property, parameters<Values>(how));
  if (details.failed) throw new Error(report(details));
  return details.numRuns;
}

export async function holdsInTime<Values>(property: fc.IAsyncProperty<Values>, how: Effort): Promise<number> {
  const details = await fc.check(property, parameters<Values>(how));
  if (details.failed) throw new Error(report(details));
  return details.numRuns;
}
