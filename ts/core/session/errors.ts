// Every `-ERR` a client can be sent: exact text, whether the connection closes, and the close reason operators read.
// `text: undefined` closes without a word, as nats-server does for malformed arguments.
import { quoteText } from '../../lib/go-quote.ts';
import type { CloseReason } from './reasons.ts';

interface Row {
  /** `%s` is where the detail goes, `%q` where it goes in double quotes. */
  readonly text: string | undefined;
  /** Undefined: the connection stays open. */
  readonly closes: CloseReason | undefined;
}

export const wireErrors = {
  // What the kernel finds while it parses and routes.
  unknownOperation: { text: 'Unknown Protocol Operation', closes: 'protocolViolation' },
  badArguments: { text: undefined, closes: 'protocolViolation' },
  beforeConnect: { text: 'Authorization Violation', closes: 'authFailure' },
  maxControlLine: { text: 'maximum control line exceeded', closes: 'maxControlLine' },
  maxPayload: { text: 'Maximum Payload Violation', closes: 'maxPayload' },
  maxSubscriptions: { text: 'maximum subscriptions exceeded', closes: undefined },
  noSubscriptions: { text: 'maximum subscriptions exceeded', closes: 'maxSubscriptions' },
  invalidSubject: { text: 'Invalid Subject', closes: undefined },
  headersNotSupported: { text: undefined, closes: 'protocolViolation' },
  clientError: { text: undefined, closes: 'parseError' },
  publishDenied: { text: 'Permissions Violation for Publish to %q', closes: undefined },
  replyDenied: { text: 'Permissions Violation for Publish with Reply of %q', closes: undefined },
  // What the session decides.
  badConnect: { text: undefined, closes: 'protocolViolation' },
  authorization: { text: 'Authorization Violation', closes: 'authFailure' },
  proxyRequired: { text: 'Authorization Violation', closes: 'proxyRequired' },
  proxyNotTrusted: { text: 'Authorization Violation', closes: 'proxyNotTrusted' },
  authTimeout: { text: 'Authentication Timeout', closes: 'authTimeout' },
  userExpired: { text: 'User Authentication Expired', closes: 'authExpired' },
  accountExpired: { text: 'Account Authentication Expired', closes: 'authExpired' },
  userRevoked: { text: 'User Authentication Revoked', closes: 'revocation' },
  accountRegistration: { text: 'Failed Account Registration', closes: 'missingAccount' },
  tooManyTokens: { text: 'Permissions Violation for Subscription to %q, too many tokens', closes: undefined },
  subscribeDenied: { text: 'Permissions Violation for Subscription to %s', closes: undefined },
  maxConnections: { text: 'maximum connections exceeded', closes: 'maxConnections' },
  maxAccountConnections: { text: 'maximum account active connections exceeded', closes: 'maxAccountConnections' },
  staleConnection: { text: 'Stale Connection', closes: 'staleConnection' },
  tlsRequired: { text: 'Secure Connection - TLS Required', closes: 'tlsHandshake' },
  badClientProtocol: { text: 'invalid client protocol', closes: 'badClientProtocol' },
  noRespondersRequiresHeaders: { text: 'no responders requires headers support', closes: 'noRespondersRequiresHeaders' },
  throttled: { text: 'Connection throttling is active. Please try again later.', closes: 'tlsHandshake' },
  wrongPortRoute: { text: 'attempted to connect to route port', closes: 'wrongPort' },
  wrongPortLeaf: { text: 'attempted to connect to leaf node port', closes: 'wrongPort' },
  wrongPortGateway: { text: 'attempted to connect to gateway port', closes: 'wrongPort' },
  wrongPortClient: { text: 'attempted to connect to client port', closes: 'wrongPort' },
} as const satisfies Record<string, Row>;

export type WireError = keyof typeof wireErrors;

/** The text inside the quotes of `-ERR '...'`, or undefined when the peer is told nothing. */
export function errorText(error: WireError, detail = ''): string | undefined {
  const text: string | undefined = wireErrors[error].text;
  return text?.replace(/%[sq]/, (mark) => (mark === '%q' ? quoteText(detail) : detail));
}

export function closesWith(error: WireError): CloseReason | undefined {
  return wireErrors[error].closes;
}
