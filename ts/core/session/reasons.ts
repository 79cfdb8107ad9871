// Why a connection was closed: the key used in code, and the text operators read in connz and in the log.
// `webSocketStatus` is the close code a WebSocket peer is given for it.

interface Row {
  readonly text: string;
  readonly webSocketStatus: number;
}

export const closeReasons = {
  clientClosed: { text: 'Client Closed', webSocketStatus: 1000 },
  authTimeout: { text: 'Authentication Timeout', webSocketStatus: 1008 },
  authFailure: { text: 'Authentication Failure', webSocketStatus: 1008 },
  tlsHandshake: { text: 'TLS Handshake Failure', webSocketStatus: 1015 },
  slowConsumerPending: { text: 'Slow Consumer (Pending Bytes)', webSocketStatus: 1008 },
  slowConsumerDeadline: { text: 'Slow Consumer (Write Deadline)', webSocketStatus: 1008 },
  writeError: { text: 'Write Error', webSocketStatus: 1001 },
  readError: { text: 'Read Error', webSocketStatus: 1001 },
  parseError: { text: 'Parse Error', webSocketStatus: 1002 },
  staleConnection: { text: 'Stale Connection', webSocketStatus: 1001 },
  protocolViolation: { text: 'Protocol Violation', webSocketStatus: 1002 },
  badClientProtocol: { text: 'Bad Client Protocol Version', webSocketStatus: 1002 },
  wrongPort: { text: 'Incorrect Port', webSocketStatus: 1002 },
  maxConnections: { text: 'Maximum Connections Exceeded', webSocketStatus: 1008 },
  maxAccountConnections: { text: 'Maximum Account Connections Exceeded', webSocketStatus: 1008 },
  maxPayload: { text: 'Maximum Message Payload Exceeded', webSocketStatus: 1009 },
  maxControlLine: { text: 'Maximum Control Line Exceeded', webSocketStatus: 1008 },
  maxSubscriptions: { text: 'Maximum Subscriptions Exceeded', webSocketStatus: 1008 },
  duplicateRoute: { text: 'Duplicate Route', webSocketStatus: 1011 },
  routeRemoved: { text: 'Route Removed', webSocketStatus: 1011 },
  serverShutdown: { text: 'Server Shutdown', webSocketStatus: 1001 },
  authExpired: { text: 'Authentication Expired', webSocketStatus: 1008 },
  wrongGateway: { text: 'Wrong Gateway', webSocketStatus: 1011 },
  missingAccount: { text: 'Missing Account', webSocketStatus: 1008 },
  revocation: { text: 'Credentials Revoked', webSocketStatus: 1008 },
  internalClient: { text: 'Internal Client', webSocketStatus: 1011 },
  headerViolation: { text: 'Message Header Violation', webSocketStatus: 1002 },
  noRespondersRequiresHeaders: { text: 'No Responders Requires Headers', webSocketStatus: 1011 },
  clusterNameConflict: { text: 'Cluster Name Conflict', webSocketStatus: 1011 },
  duplicateLeafNode: { text: 'Duplicate Remote LeafNode Connection', webSocketStatus: 1011 },
  duplicateClientId: { text: 'Duplicate Client ID', webSocketStatus: 1011 },
  duplicateServerName: { text: 'Duplicate Server Name', webSocketStatus: 1011 },
  minimumVersion: { text: 'Minimum Version Required', webSocketStatus: 1011 },
  clusterNamesIdentical: { text: 'Cluster Names Identical', webSocketStatus: 1011 },
  internalError: { text: 'Internal Error', webSocketStatus: 1011 },
  kicked: { text: 'Kicked', webSocketStatus: 1011 },
  proxyNotTrusted: { text: 'Proxy Not Trusted', webSocketStatus: 1008 },
  proxyRequired: { text: 'Proxy Required', webSocketStatus: 1008 },
} as const satisfies Record<string, Row>;

export type CloseReason = keyof typeof closeReasons;

/** Whether a client was told `Authorization Violation`. */
export function isRefusal(reason: string): boolean {
  const { authFailure, proxyRequired, proxyNotTrusted } = closeReasons;
  return [authFailure, proxyRequired, proxyNotTrusted].some(({ text }) => text === reason);
}
