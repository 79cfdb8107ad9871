// Why a text is no RFC 3339 time, in the words of Go's parser, which end in answers of the API.

const layout = '2006-01-02T15:04:05Z07:00';
const pair = /^\d\d/;

interface Piece {
  readonly shown: string;
  readonly pattern: RegExp;
  /** A number with an end. */
  readonly range?: { readonly name: string; readonly least: number; readonly most: number };
}

const literal = (shown: string): Piece => ({ shown, pattern: new RegExp(`^${shown}`) });

const pieces: readonly Piece[] = [
  { shown: '2006', pattern: /^\d{4}/ },
  literal('-'),
  { shown: '01', pattern: pair, range: { name: 'month', least: 1, most: 12 } },
  literal('-'),
  { shown: '02', pattern: pair },
  literal('T'),
  { shown: '15', pattern: pair, range: { name: 'hour', least: 0, most: 23 } },
  literal(':'),
  { shown: '04', pattern: pair, range: { name: 'minute', least: 0, most: 59 } },
  literal(':'),
  { shown: '05', pattern: /^\d\d(?:[.,]\d+)?/, range: { name: 'second', least: 0, most: 59.999_999_999_9 } },
  { shown: 'Z07:00', pattern: /^(?:Z|[+-]\d\d:\d\d)/ },
];

/** What nats-server says of a text that is no time. */
export function timeProblem(text: string): string {
  const parsing = `parsing time ${JSON.stringify(text)}`;
  let rest = text;
  for (const { shown, pattern, range } of pieces) {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined)
      return `${parsing} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(shown)}`;
    const value = Number(found.replace(',', '.'));
    if (range !== undefined && (value < range.least || value > range.most)) return `${parsing}: ${range.name} out of range`;
    rest = rest.slice(found.length);
  }
  return rest === '' ? `${parsing}: day out of range` : `${parsing}: extra text: ${JSON.stringify(rest)}`;
}
