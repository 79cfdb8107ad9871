/**
 * What conversations are made of, for fast-check: subjects from a small alphabet, so that they meet; lines in all the
 * spellings the grammar allows; hostile bytes; and the ways to cut them into packets.
 *
 * A conversation is a list of steps, each one connection's bytes. Payloads are numbered when the conversation is written
 * out, so a message found at a receiver says which publish it came from.
 */
import fc from 'fast-check';

export interface Step {
  readonly conn: number;
  readonly text: string;
}

/** Writes one protocol line or message; the number goes into its payload. */
export type Line = (number: number) => string;

const token = fc.constantFrom('a', 'b', 'c', 'aa', 'longer-token-than-sixteen-bytes');
const oddToken = fc.constantFrom('a*', '>b', '**', '\xc3\xa9', '\x01', '\x80\xff', '"', '$');

function joined(tokens: fc.Arbitrary<string>, most = 4): fc.Arbitrary<string> {
  return fc.array(tokens, { minLength: 1, maxLength: most }).map((parts) => parts.join('.'));
}

export const subject = joined(token);

export const pattern = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: token }, { weight: 2, arbitrary: fc.constant('*') }), { maxLength: 3 }),
    token,
    fc.nat(3),
  )
  .map(([head, last, end]) => [...head, end === 0 ? '>' : end === 1 ? '*' : last].join('.'));

/** Anything that can stand in a control line as a subject, also what no server accepts. */
export const anySubject = fc.oneof(
  { weight: 6, arbitrary: subject },
  { weight: 3, arbitrary: pattern },
  { weight: 1, arbitrary: joined(oddToken, 2) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('.', 'a.', '.a', 'a..b', '>.a', 'a.>.b', 'a.b.c.a.b.c.a.b.c.a.b.c.a.b.c.a.b.c', '>', '*'),
  },
);

const queue = fc.constantFrom('q', 'w');
const sid = fc.constantFrom('1', '2', '3', 'x17');
const reply = fc.oneof(subject, fc.constantFrom('_INBOX.a', '$JS.ACK.x', '_R_.x', '_GR_.x', '$JS.ACK.', '_R_', '_R_.'));
const blank = fc.oneof({ weight: 6, arbitrary: fc.constant(' ') }, { weight: 1, arbitrary: fc.constantFrom('  ', '\t', ' \t ') });
const lineEnd = fc.oneof({ weight: 6, arbitrary: fc.constant('\r\n') }, { weight: 1, arbitrary: fc.constant('\n') });
const tail = fc.oneof({ weight: 8, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(' ', '\t ') });

function cased(verb: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant(verb) },
    { weight: 1, arbitrary: fc.constant(verb.toLowerCase()) },
    { weight: 1, arbitrary: fc.constant(verb.charAt(0).toLowerCase() + verb.slice(1)) },
  );
}

/** A control line of these words with any blanks between, before and behind them. */
function line(verb: string, words: fc.Arbitrary<readonly (string | null)[]>): fc.Arbitrary<string> {
  return fc
    .tuple(cased(verb), words, fc.array(blank, { minLength: 5, maxLength: 5 }), tail, lineEnd)
    .map(([word, parts, blanks, last, end]) => {
      const given = parts.filter((part) => part !== null);
      return word + given.map((part, index) => (blanks[index] ?? ' ') + part).join('') + last + end;
    });
}

const size = fc.oneof({ weight: 5, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.constantFrom(0, 64, 200) });
const maybeReply = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: reply });

/** The payload's number first, then filler of any byte, also line ends. */
function payload(number: number, length: number): string {
  return `<${number}>${'\r\nPUB a 1\r\n'.repeat(1 + length / 10)}`.slice(0, Math.max(length, `<${number}>`.length));
}

function publishLine(subjects: fc.Arbitrary<string>): fc.Arbitrary<Line> {
  return fc.tuple(subjects, maybeReply, size, fc.nat(9)).chain(([to, answer, length, zeros]) =>
    line('PUB', fc.constant([to, answer, '#'])).map((text) => (number: number) => {
      const body = payload(number, length);
      return `${text.replace('#', `${zeros === 0 ? '00' : ''}${body.length}`)}${body}\r\n`;
    }),
  );
}

const headerBlock = fc.constantFrom('', 'NATS/1.0\r\n\r\n', 'NATS/1.0\r\nA: b\r\nA: c\r\n\r\n', 'not a header at all');

function headerPublishLine(subjects: fc.Arbitrary<string>): fc.Arbitrary<Line> {
  return fc.tuple(subjects, maybeReply, size, headerBlock).chain(([to, answer, length, header]) =>
    line('HPUB', fc.constant([to, answer, `${header.length}`, '#'])).map((text) => (number: number) => {
      const body = header + payload(number, length);
      return `${text.replace('#', `${body.length}`)}${body}\r\n`;
    }),
  );
}

const fixed = (text: fc.Arbitrary<string>): fc.Arbitrary<Line> => text.map((given) => () => given);

const subLine = fixed(
  line(
    'SUB',
    fc
      .tuple(
        fc.oneof({ weight: 4, arbitrary: pattern }, { weight: 3, arbitrary: anySubject }),
        fc.option(queue, { freq: 2 }),
        sid,
      )
      .map((parts) => parts),
  ),
);
const unsubLine = fixed(
  line('UNSUB', fc.tuple(sid, fc.option(fc.constantFrom('0', '1', '2', '3', 'x', '-1', '9999999999'), { nil: null, freq: 2 }))),
);
const plainLine = fixed(
  fc.constantFrom('PING\r\n', 'ping\n', 'PONG\r\n', '+OK\r\n', 'PINGPONG \r\n', '+ok then\n', 'INFO {}\r\n'),
);

export interface ConnectFields {
  readonly verbose?: boolean;
  readonly pedantic?: boolean;
  readonly echo?: boolean;
  readonly headers?: boolean;
  readonly no_responders?: boolean;
  readonly user?: string;
  readonly pass?: string;
}

export function connectLine(fields: ConnectFields): string {
  return `CONNECT ${JSON.stringify(fields)}\r\n`;
}

export const connectFields: fc.Arbitrary<ConnectFields> = fc
  .record({
    verbose: fc.boolean(),
    pedantic: fc.boolean(),
    echo: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    headers: fc.boolean(),
    no_responders: fc.boolean(),
  })
  .map((fields) => ({ ...fields, no_responders: fields.headers && fields.no_responders }));

/** Lines that leave the connection open (HPUB only when it has headers). */
export function politeLine(headers: boolean, connects: fc.Arbitrary<string> | null): fc.Arbitrary<Line> {
  const all: fc.WeightedArbitrary<Line>[] = [
    { weight: 6, arbitrary: publishLine(subject) },
    { weight: 2, arbitrary: publishLine(anySubject) },
    { weight: 6, arbitrary: subLine },
    { weight: 3, arbitrary: unsubLine },
    { weight: 1, arbitrary: plainLine },
  ];
  if (headers) all.push({ weight: 4, arbitrary: headerPublishLine(subject) });
  if (connects !== null) all.push({ weight: 1, arbitrary: fixed(connects) });
  return fc.oneof(...all);
}

/** Bytes that ought to close the connection, or leave it waiting. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    'X',
    'PUX',
    'MSG a 1 0\r\n\r\n',
    'RS+ a\r\n',
    'A+ a\r\n',
    'PUB',
    'PUB\r\n',
    'PUB \r\n',
    'PUB a\r\n',
    'PUB a b c 1\r\n',
    'PUB a -1\r\n',
    'PUB a 1x\r\n',
    'PUB a 9999999999\r\n',
    'PUB a 999999999\r\n',
    'PUB a 1048577\r\n',
    'PUB a 5\r\nhi\r\nPING\r\n',
    'PUB a 2\r\nhi\nPING\r\n',
    'PUB a 2\r\nhi!\r\n',
    'PUB a 2\r\nhi\rX',
    'PUB a 0\r\nX',
    'HPUB a 1\r\n',
    'HPUB a 4 3\r\nabc\r\n',
    'HPUB a -1 3\r\nabc\r\n',
    'HPUB a x 3\r\nabc\r\n',
    'HPUB a 3 1048577\r\n',
    'HPUB a b c 1 1\r\nx\r\n',
    'HPUBa 1 1\r\n',
    'SUB\r\n',
    'SUB a\r\n',
    'SUB a b c d\r\n',
    'UNSUB \r\n',
    'UNSUB 1 2 3\r\n',
    'SUBSCRIBE a 1\r\n',
    'CONNECT \r\n',
    'CONNECT {\r\n',
    'CONNECT []\r\n',
    'CONNECT {"protocol":2}\r\n',
    'CONNECT {"headers":false,"no_responders":true}\r\n',
    'CONNECT {"verbose":1}\r\n',
    'CONNECT {"account":"a"}\r\n',
    'INFO x\r\n',
    '-ERR no\r\n',
    '-ERR\r\n',
    '+KO\r\n',
    '\r\n',
    ' PING\r\n',
  ),
  fc.constantFrom('PUB ', 'SUB ', 'CONNECT ', 'UNSUB ', 'INFO ', '-ERR ', 'HPUB ').map((verb) => `${verb}${'x'.repeat(5000)}`),
  fc.constantFrom('PUB ', 'SUB ').map((verb) => `${verb}${'x'.repeat(4095)} 1\r\n`),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);

export function written(lines: readonly { readonly conn: number; readonly line: Line }[]): Step[] {
  return lines.map(({ conn, line: write }, index) => ({ conn, text: write(index) }));
}

/** Where a text is cut into packets: at these offsets (modulo its length), or between all bytes. */
export type Cuts = readonly number[] | 'everywhere';

export const cuts: fc.Arbitrary<Cuts> = fc.oneof(
  fc.constant<Cuts>([]),
  fc.array(fc.nat(5000), { maxLength: 6 }),
  fc.constant<Cuts>('everywhere'),
);

/** The text in pieces. */
export function cut(text: string, where: Cuts): string[] {
  if (where === 'everywhere') return text.split('');
  const offsets = [...new Set(where.map((at) => at % (text.length + 1)))].sort((one, other) => one - other);
  const pieces: string[] = [];
  let from = 0;
  for (const at of [...offsets, text.length]) {
    if (at > from) pieces.push(text.slice(from, at));
    from = at;
  }
  return pieces;
}
