// Acknowledgements in their long form, which newer servers may put into messages and which reach this one through imports:
//
//   $JS.ACK.<domain, or _>.<account hash>.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<ns>.<pending>[.<anything>]
//
// The short form is read by the kernel, with a subscription a consumer; this one, which nothing here sends, has one an account.

import type { JetStreamAccount } from './account.ts';
import type { InboundMessage, ServerSubscription } from './ports.ts';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const hashLength = 8;
const leastTokens = 11;
/** Larger than every kind of the kernel's that means a plain acknowledgement: the payload says what it is. */
const kindInPayload = 1;

/** The eight letters and digits by which subjects name an account. */
function accountHash(name: string, sha256: (bytes: Uint8Array) => Uint8Array): string {
  const hash = sha256(new TextEncoder().encode(name));
  return [...hash.subarray(0, hashLength)].map((byte) => digits[byte % digits.length] ?? '').join('');
}

/** Listens to all of an account's acknowledgements of that form. */
export function listenToLongAcks(account: JetStreamAccount): ServerSubscription {
  const { door, crypto } = account.ports;
  const domain = account.settings.domain === '' ? '_' : account.settings.domain;
  const hash = accountHash(account.name, (bytes) => crypto.sha256(bytes));
  return door.subscribe(account.number, `$JS.ACK.${domain}.${hash}.>`, (message) => acknowledge(account, message));
}

function acknowledge(account: JetStreamAccount, { subject, reply, payload }: InboundMessage): void {
  const tokens = subject.split('.');
  if (tokens.length < leastTokens) return;
  const [, , , , stream = '', name = ''] = tokens;
  const [deliveries = NaN, streamSeq = NaN, consumerSeq = NaN] = tokens.slice(6, 9).map(sequence);
  const consumer = account.streams.get(stream)?.consumers.get(name);
  if (consumer?.acknowledges !== true || Number.isNaN(deliveries + streamSeq + consumerSeq)) return;
  consumer.acknowledge({ kind: kindInPayload, streamSeq, consumerSeq, deliveries, reply, payload });
}

function sequence(token: string): number {
  return /^\d+$/.test(token) ? Number(token) : NaN;
}
