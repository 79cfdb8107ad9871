// Subject mappings: `source: destination`, with weights and clusters.
// Kept true: weights of one cluster scope add up to at most 100, and every destination can be made from its source.

import { isValidSubject } from '../../subject/subject.ts';
import { compileMapping } from '../../subject/transform.ts';
import type { ConfigValue } from '../config-value.ts';
import { defineTable } from '../key-table.ts';
import type { ValueType } from '../key-table.ts';
import type { MappingDestination, SubjectMapping } from '../options-auth.ts';
import type { Reader } from '../reader.ts';
import { block, text } from '../value-types.ts';

/** 0 to 100, as a number or as a string that may end in %. */
const weight: ValueType<number> = {
  name: '0..100 or "n%"',
  read(value, reader) {
    const written = value.kind === 'string' ? value.value.replace(/%$/, '') : value.kind === 'integer' ? String(value.value) : '';
    const percent = /^\d+$/.test(written) ? Number(written) : 101;
    if (percent <= 100) return percent;
    const shown = value.kind === 'string' ? `"${value.value}"` : written;
    return reader.report(value.at, `invalid weight ${shown} for mapping destination`);
  },
};

/** NaN stands for a weight that was not given. */
const destinationTable = defineTable<MappingDestination>('mappings', [
  { key: 'destination', aliases: ['dest'], field: 'subject', type: text, reload: 'yes', doc: 'Where messages go instead.' },
  { key: 'weight', field: 'weight', type: weight, reload: 'yes', doc: 'Percent of the messages. Required.' },
  { key: 'cluster', field: 'cluster', type: text, reload: 'yes', doc: 'Only servers of this cluster.' },
]);

const destination: ValueType<MappingDestination> = block(
  destinationTable,
  () => ({ subject: '', weight: Number.NaN, cluster: '' }),
  (read, value, reader) => {
    const given = value.kind === 'map' && value.entries.has('weight');
    if (Number.isNaN(read.weight) && !given) {
      reader.report(value.at, `missing weight for mapping destination "${read.subject}"`);
    }
  },
);

function readDestinations(value: ConfigValue, reader: Reader): MappingDestination[] {
  if (value.kind === 'string') return [{ subject: value.value, weight: 100, cluster: '' }];
  const items = value.kind === 'array' ? value.items : [value];
  const read: MappingDestination[] = [];
  for (const item of items) {
    if (item.kind !== 'map') reader.report(item.at, 'expected an entry for the mapping destination');
    else {
      const one = destination.read(item, reader, 'mappings');
      if (one !== undefined) read.push(one);
    }
  }
  return read;
}

function checkDestinations(
  source: string,
  destinations: readonly MappingDestination[],
  value: ConfigValue,
  reader: Reader,
): void {
  const totals = new Map<string, number>();
  for (const { subject, weight: percent, cluster } of destinations) {
    const made = compileMapping(source, subject);
    if (!made.ok) reader.report(value.at, `error adding mapping for "${source}" to "${subject}": ${made.problem}`);
    totals.set(cluster, (totals.get(cluster) ?? 0) + (Number.isNaN(percent) ? 0 : percent));
  }
  if ([...totals.values()].some((total) => total > 100)) {
    reader.report(value.at, `error adding mapping for "${source}": total weight needs to be <= 100`);
  }
}

export const mappings: ValueType<SubjectMapping[]> = {
  name: 'map of subject to destination',
  table: destinationTable,
  read(value, reader, key) {
    if (value.kind !== 'map') return reader.wrongType(value, key, 'a map of subjects');
    const read: SubjectMapping[] = [];
    for (const entry of value.entries.values()) {
      if (!isValidSubject(entry.key)) {
        reader.report(entry.value.at, `subject "${entry.key}" is not a valid subject`);
        continue;
      }
      const destinations = readDestinations(entry.value, reader);
      checkDestinations(entry.key, destinations, entry.value, reader);
      read.push({ source: entry.key, destinations });
    }
    return read;
  },
};
