// The mappings of one account: the first source that matches a published subject decides, by weight, what it becomes.
// Kept true: sources without wildcards come first, then configuration order; a mapped subject is not mapped again; what remains of
// the weights up to 100 leaves the subject as it is, unless the source itself is among the destinations: then it is dropped.
import type { MappingDestination, SubjectMapping } from '../config/options.ts';
import { hasWildcard, tokens } from './subject.ts';
import { compileMapping } from './transform.ts';
import type { Transform } from './transform.ts';

export interface Mappings {
  /** The subjects that are mapped, wildcards among them. */
  readonly sources: readonly string[];
  /** What a published subject becomes; itself when nothing maps it; undefined: the message is dropped. */
  map(subject: string): string | undefined;
}

/** Where chance comes from: a uniform integer below the limit. */
export interface Chance {
  below(limit: number): number;
}

interface Weighted {
  readonly transform: Transform;
  /** Chosen for a roll below this and not below the one before. */
  readonly upTo: number;
}

interface CompiledMapping {
  readonly source: string;
  readonly pattern: readonly string[];
  readonly choices: readonly Weighted[];
  /** What a roll beyond all choices does. */
  readonly keepsRest: boolean;
}

const WHOLE = 100;

/** Destinations for the server's cluster replace the general ones. */
function inScope(destinations: readonly MappingDestination[], cluster: string): readonly MappingDestination[] {
  const own = cluster === '' ? [] : destinations.filter((row) => row.cluster === cluster);
  return own.length > 0 ? own : destinations.filter((row) => row.cluster === '');
}

function compileDestinations(mapping: SubjectMapping, cluster: string): CompiledMapping {
  const { source } = mapping;
  const scope = inScope(mapping.destinations, cluster);
  let upTo = 0;
  const choices = scope.map((row) => {
    const result = compileMapping(source, row.subject);
    if (!result.ok) throw new Error(`Error adding mapping for "${source}" to "${row.subject}" : ${result.problem}`);
    upTo += row.weight;
    return { transform: result.transform, upTo };
  });
  return { source, pattern: tokens(source), choices, keepsRest: !scope.some((row) => row.subject === source) };
}

/** Throws for a destination that does not compile; the configuration was checked with `compileMapping` before. */
export function compileMappings(mappings: readonly SubjectMapping[], cluster: string, chance: Chance): Mappings {
  const compiled = mappings
    .map((mapping) => compileDestinations(mapping, cluster))
    .toSorted((left, right) => Number(hasWildcard(left.source)) - Number(hasWildcard(right.source)));
  const random = (limit: number): number => chance.below(limit);
  const map = (subject: string): string | undefined => {
    const parts = tokens(subject);
    const mapping = compiled.find((row) => row.choices[0]?.transform.matches(parts));
    if (mapping === undefined) return subject;
    const roll = mapping.choices[0]?.upTo === WHOLE ? 0 : random(WHOLE);
    const choice = mapping.choices.find((row) => roll < row.upTo);
    if (choice !== undefined) return choice.transform.apply(subject, random);
    return mapping.keepsRest ? subject : undefined;
  };
  return { sources: compiled.filter((row) => row.choices.length > 0).map((row) => row.source), map };
}
