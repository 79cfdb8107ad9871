// Marks: how one run over many subjects tells those it has seen from the others.

let epoch: u32 = 0;

/** A number that no leaf is marked with. */
export function freshMark(): u32 {
  return ++epoch;
}
