// What the log says about an error a client made; the client itself is told the text in `errors.ts`.
import type { ConnectOptions } from './connect.ts';
import { errorText } from './errors.ts';
import type { WireError } from './errors.ts';

const texts: Partial<Record<WireError, (detail: string) => string | undefined>> = {
  publishDenied: (subject) => `Publish Violation - Subject "${subject}"`,
  replyDenied: (reply) => `Publish Violation - Reply "${reply}"`,
  badConnect: (problem) => problem,
  headersNotSupported: () => 'message headers not supported',
  clientError: (text) => `Client Error ${text}`.trimEnd(),
  maxPayload: (sizes) => `maximum payload exceeded${sizes === '' ? '' : `: ${sizes}`}`,
  staleConnection: () => undefined,
  invalidSubject: () => undefined,
  badArguments: (detail) => (detail === '' ? 'Protocol Violation' : detail),
  throttled: () => undefined,
};

export function problemText(error: WireError, detail: string): string | undefined {
  const text = texts[error];
  return text === undefined ? errorText(error, detail) : text(detail);
}

/** Peers that are no NATS clients at all, or gone: nothing an operator must look at. */
const everydayTls = /first record does not look like|i\/o timeout|^EOF$/;

export function tlsProblemLevel(problem: string): 'debug' | 'error' {
  return everydayTls.test(problem) ? 'debug' : 'error';
}

/** A refused client by the name it gave; a token is not printed. */
export function authProblem(connect: ConnectOptions): string {
  if (connect.nkey !== '') return `authentication error - Nkey "${connect.nkey}"`;
  if (connect.user !== '') return `authentication error - User "${connect.user}"`;
  if (connect.authToken !== '') return 'authentication error - Token "[REDACTED]"';
  return 'authentication error';
}
