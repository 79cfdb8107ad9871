/** What property tests of the store do with a stream, one step after the other. */
import fc from 'fast-check';

export type StoreStep =
  | { readonly is: 'append'; readonly length: number }
  | { readonly is: 'delete'; readonly back: number; readonly erase: boolean }
  | { readonly is: 'purge'; readonly keep: number }
  | { readonly is: 'sync' }
  /** Blocks are compressed and written anew meanwhile. */
  | { readonly is: 'wait' };

export interface StoreStepOptions {
  /** How often each comes, beside the others. */
  readonly weights: Readonly<Record<StoreStep['is'], number>>;
  readonly length: fc.Arbitrary<number>;
  readonly keep: fc.Arbitrary<number>;
}

export function storeStep({ weights, length, keep }: StoreStepOptions): fc.Arbitrary<StoreStep> {
  const is = <T extends StoreStep['is']>(kind: T): fc.Arbitrary<T> => fc.constant(kind);
  return fc.oneof(
    { weight: weights.append, arbitrary: fc.record({ is: is('append'), length }) },
    { weight: weights.delete, arbitrary: fc.record({ is: is('delete'), back: fc.nat(20), erase: fc.boolean() }) },
    { weight: weights.purge, arbitrary: fc.record({ is: is('purge'), keep }) },
    { weight: weights.sync, arbitrary: fc.record({ is: is('sync') }) },
    { weight: weights.wait, arbitrary: fc.record({ is: is('wait') }) },
  );
}
