// Names of certificates as Go prints them, which log lines, events and the cache of answers carry.
// Kept true: attributes come in Go's order whatever the certificate's; those it has no short name for are left out, several of one kind are
// joined with a plus sign.

export interface NameAttribute {
  /** Dotted object identifier. */
  readonly type: string;
  readonly value: string;
}

/** In the order they are printed in. */
const shown: readonly (readonly [type: string, name: string])[] = [
  ['2.5.4.5', 'SERIALNUMBER'],
  ['2.5.4.3', 'CN'],
  ['2.5.4.17', 'POSTALCODE'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.7', 'L'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.10', 'O'],
  ['2.5.4.6', 'C'],
];

/** Of these a certificate has one; where it says several, the last counts. */
const single = new Set(['2.5.4.5', '2.5.4.3']);

function escaped(value: string): string {
  return value.replace(/^[ #]|(?<=.) $|[,+"\\<>;]/g, (char) => `\\${char}`);
}

export function distinguishedName(attributes: readonly NameAttribute[]): string {
  const parts = shown.flatMap(([type, name]) => {
    const values = attributes.filter((attribute) => attribute.type === type).map(({ value }) => value);
    const counted = single.has(type) ? values.slice(-1).filter((value) => value !== '') : values;
    return counted.length === 0 ? [] : [counted.map((value) => `${name}=${escaped(value)}`).join('+')];
  });
  return parts.join(',');
}
