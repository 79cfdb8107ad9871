// The lines of `-V`: what a connection sent and was sent, without secrets. Pure functions of an operation's bytes; whoever logs them puts
// the connection's label before each.
// Kept true: no password, token, signature or nkey is ever in a line; control characters are escaped; a payload is cut where asked.

import { quoteBytes } from '../../lib/go-quote.ts';

export interface TraceOptions {
  /** Bytes of a payload shown; 0 shows all. */
  readonly maxLength: number;
  /** Only the headers of messages are shown, and of messages without headers nothing. */
  readonly headersOnly: boolean;
}

const secrets = /"(pass|auth_token|nkey|sig)"(\s*:\s*)"(?:[^"\\]|\\.)*"/gi;

const lineFeed = 10;
const carriageReturn = 13;

/** An operation a client sent, its payload and line ends included, as `<<- [...]` and `<<- MSG_PAYLOAD: [...]`. */
export function inboundTrace(operation: Uint8Array, options: TraceOptions): string[] {
  const lineEnd = operation.indexOf(lineFeed);
  const line = printable(operation.subarray(0, lineEnd < 0 ? operation.length : lineEnd)).trim();
  const verb = /^\S+/.exec(line)?.[0] ?? '';
  const rest = line.slice(verb.length).trimStart();
  const name = verb.toUpperCase();
  const shown = name === 'CONNECT' ? rest.replace(secrets, '"$1"$2"[REDACTED]"') : rest;
  const lines = [`<<- [${shown === '' ? name : `${name} ${shown}`}]`];
  if (name !== 'PUB' && name !== 'HPUB') return lines;
  const payload = withoutLineEnd(operation.subarray(lineEnd + 1));
  const text = payloadTrace(payload, name === 'HPUB' ? headerLength(rest) : 0, options);
  return text === undefined ? lines : [...lines, `<<- ${text}`];
}

/** A message delivered, given its control line and, where it is known, what follows it. */
export function outboundTrace(
  line: string,
  payload: Uint8Array | undefined,
  headerBytes: number,
  options: TraceOptions,
): string[] {
  const head = `->> [${line}]`;
  const text = payload === undefined ? undefined : payloadTrace(payload, headerBytes, options);
  return text === undefined ? [head] : [head, `->> ${text}`];
}

/** What the server says for itself: `+OK` and `-ERR` lose their decoration, INFO is not traced. */
export function replyTrace(protocolText: string): string | undefined {
  const text = protocolText.trim();
  if (text.startsWith('INFO ')) return undefined;
  if (text === '+OK') return '->> [OK]';
  return `->> [${text.replace(/^-ERR '(.*)'$/s, '-ERR $1')}]`;
}

function payloadTrace(payload: Uint8Array, headerBytes: number, { maxLength, headersOnly }: TraceOptions): string | undefined {
  const whole = headersOnly ? withoutLineEnd(withoutLineEnd(payload.subarray(0, headerBytes))) : payload;
  if (whole.length === 0) return undefined;
  if (maxLength <= 0 || whole.length <= maxLength) return `MSG_PAYLOAD: [${quoteBytes(whole)}]`;
  const cut = quoteBytes(whole.subarray(0, maxLength));
  return `MSG_PAYLOAD: [${cut.slice(0, -1)}..."]`;
}

/** The first of the two sizes an HPUB line ends with. */
function headerLength(args: string): number {
  return Number(/(\d+)\s+\d+$/.exec(args)?.[1] ?? 0);
}

function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  if (bytes[end - 1] === lineFeed) end--;
  if (bytes[end - 1] === carriageReturn) end--;
  return bytes.subarray(0, end);
}

function printable(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  return text.replace(/(?!\t)\p{Cc}/gu, (char) =>
    char === '\r' ? '' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
