/**
 * The client protocol's grammar, read the slow and plain way: the twin of wasm/parse.
 *
 * `readOperation` looks at everything a connection has sent so far from one offset on and says which operation stands
 * there, that more bytes are needed, or that the connection must be closed and with which answer. It holds no state,
 * so a conversation gives the same operations however it was cut into packets: what a prefix yields is always the
 * beginning of what the whole yields.
 *
 * Where nats-server's own reading depends on the cuts (a stray CR inside a line, a payload cut while pedantic), the twin
 * follows what it does when the line arrives whole.
 */

export interface Limits {
  readonly maxControlLine: number;
  readonly maxPayload: number;
  /** The client said `headers: true`; without it HPUB closes the connection. */
  readonly headersAllowed: boolean;
}

export interface PublishLine {
  readonly verb: 'PUB' | 'HPUB';
  readonly subject: string;
  readonly reply: string | null;
  /** -1 for PUB. */
  readonly headerSize: number;
  readonly size: number;
  /** The numbers as the client wrote them, because receivers see them so. */
  readonly headerSizeText: string;
  readonly sizeText: string;
}

export type Operation =
  | PublishLine
  | { readonly verb: 'SUB'; readonly subject: string; readonly queue: string | null; readonly sid: string }
  | { readonly verb: 'UNSUB'; readonly sid: string; readonly max: number }
  | { readonly verb: 'CONNECT' | 'INFO'; readonly json: string }
  | { readonly verb: '-ERR'; readonly text: string }
  | { readonly verb: 'PING' | 'PONG' | '+OK' };

/** `answer` is the text of the -ERR before the close, null for a close without a word. */
export type Refusal = { readonly kind: 'refused'; readonly answer: string | null };
export type Incomplete = { readonly kind: 'incomplete' };
export type Reading = { readonly kind: 'operation'; readonly operation: Operation; readonly next: number } | Incomplete | Refusal;

const incomplete: Incomplete = { kind: 'incomplete' };
const unknownOperation: Refusal = { kind: 'refused', answer: 'Unknown Protocol Operation' };
const lineTooLong: Refusal = { kind: 'refused', answer: 'maximum control line exceeded' };
const payloadTooLarge: Refusal = { kind: 'refused', answer: 'Maximum Payload Violation' };
const silently: Refusal = { kind: 'refused', answer: null };

/** What must stand between a verb and its argument: a blank, maybe a blank, or no argument at all up to the newline. */
type Gap = 'blank' | 'maybe blank' | 'rest of line';
interface Verb {
  readonly word: string;
  readonly gap: Gap;
  readonly read: (argument: string, limits: Limits) => Operation | Refusal;
}

const verbs: readonly Verb[] = [
  { word: 'PUB', gap: 'blank', read: readPub },
  { word: 'HPUB', gap: 'blank', read: readHpub },
  { word: 'SUB', gap: 'blank', read: readSub },
  { word: 'UNSUB', gap: 'blank', read: readUnsub },
  { word: 'CONNECT', gap: 'maybe blank', read: (json) => ({ verb: 'CONNECT', json }) },
  { word: 'INFO', gap: 'maybe blank', read: (json) => ({ verb: 'INFO', json }) },
  { word: '-ERR', gap: 'blank', read: (text) => ({ verb: '-ERR', text }) },
  { word: 'PING', gap: 'rest of line', read: () => ({ verb: 'PING' }) },
  { word: 'PONG', gap: 'rest of line', read: () => ({ verb: 'PONG' }) },
  { word: '+OK', gap: 'rest of line', read: () => ({ verb: '+OK' }) },
];

export function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

export function readOperation(text: string, from: number, limits: Limits): Reading {
  let typed = '';
  for (let at = from; at < text.length;) {
    typed += text.charAt(at++).toUpperCase();
    const verb = verbs.find((one) => one.word === typed);
    if (verb !== undefined) return readAfterVerb(text, at, verb, limits);
    if (!verbs.some((one) => one.word.startsWith(typed))) return unknownOperation;
  }
  return incomplete;
}

function readAfterVerb(text: string, from: number, verb: Verb, limits: Limits): Reading {
  let at = from;
  if (verb.gap === 'rest of line') {
    const newline = text.indexOf('\n', at);
    return newline < 0 ? incomplete : finish(verb, '', newline + 1, limits);
  }
  if (at === text.length) return incomplete;
  if (verb.gap === 'blank' && !isBlank(text[at])) return unknownOperation;
  while (isBlank(text[at])) at++;
  if (at === text.length) return incomplete;
  return readArgument(text, at, verb, limits);
}

/** The argument runs to the first newline behind its first byte; a CR anywhere behind its first byte takes the last byte away. */
function readArgument(text: string, start: number, verb: Verb, limits: Limits): Reading {
  const newline = text.indexOf('\n', start + 1);
  const end = newline < 0 ? text.length : newline;
  const carriageReturn = text.slice(start + 1, end).includes('\r');
  const argument = text.slice(start, carriageReturn ? end - 1 : end);
  if (argument.length > limits.maxControlLine) return lineTooLong;
  return newline < 0 ? incomplete : finish(verb, argument, newline + 1, limits);
}

function finish(verb: Verb, argument: string, next: number, limits: Limits): Reading {
  const operation = verb.read(argument, limits);
  return 'kind' in operation ? operation : { kind: 'operation', operation, next };
}

/** The bytes behind a publish line: `size` of them and CRLF, nothing else. */
export function readPayload(
  text: string,
  from: number,
  size: number,
): { readonly kind: 'payload'; readonly payload: string; readonly next: number } | Incomplete | Refusal {
  const end = from + size;
  if (text.length > end && text[end] !== '\r') return unknownOperation;
  if (text.length > end + 1 && text[end + 1] !== '\n') return unknownOperation;
  if (text.length < end + 2) return incomplete;
  return { kind: 'payload', payload: text.slice(from, end), next: end + 2 };
}

/** A size is one to nine decimal digits; -1 otherwise. */
export function readSize(text: string): number {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : -1;
}

function words(argument: string, separators: RegExp): string[] {
  return argument.split(separators).filter((word) => word !== '');
}

function publish(line: PublishLine, limits: Limits): PublishLine | Refusal {
  if (line.size < 0) return silently;
  return line.size > limits.maxPayload ? payloadTooLarge : line;
}

function readPub(argument: string, limits: Limits): Operation | Refusal {
  const parts = words(argument, /[ \t]/);
  if (parts.length < 2 || parts.length > 3) return silently;
  const sizeText = parts.at(-1) ?? '';
  const reply = parts.length === 3 ? (parts[1] ?? '') : null;
  const subject = parts[0] ?? '';
  return publish({ verb: 'PUB', subject, reply, headerSize: -1, size: readSize(sizeText), headerSizeText: '', sizeText }, limits);
}

function readHpub(argument: string, limits: Limits): Operation | Refusal {
  const parts = words(argument, /[ \t]/);
  if (!limits.headersAllowed || parts.length < 3 || parts.length > 4) return silently;
  const sizeText = parts.at(-1) ?? '';
  const headerSizeText = parts.at(-2) ?? '';
  const reply = parts.length === 4 ? (parts[1] ?? '') : null;
  const headerSize = readSize(headerSizeText);
  const size = readSize(sizeText);
  if (headerSize < 0 || size < 0 || headerSize > size) return silently;
  return publish({ verb: 'HPUB', subject: parts[0] ?? '', reply, headerSize, size, headerSizeText, sizeText }, limits);
}

function readSub(argument: string): Operation | Refusal {
  const parts = words(argument, /[ \t\r\n]/);
  if (parts.length < 2 || parts.length > 3) return silently;
  const queue = parts.length === 3 ? (parts[1] ?? '') : null;
  return { verb: 'SUB', subject: parts[0] ?? '', queue, sid: parts.at(-1) ?? '' };
}

function readUnsub(argument: string): Operation | Refusal {
  const parts = words(argument, /[ \t\r\n]/);
  if (parts.length < 1 || parts.length > 2) return silently;
  const max = parts[1];
  return { verb: 'UNSUB', sid: parts[0] ?? '', max: max === undefined ? -1 : readSize(max) };
}
