// Acknowledgements as they arrive: the numbers in their subject, the verb in their payload.
//
//   $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<timestamp ns>.<pending>                            9 tokens
//   $JS.ACK.<domain or _>.<account hash>.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<ts>.<pending>[...]   11 or more

import { parseDuration } from '../jetstream/instant.ts';

export interface AckSubject {
  readonly stream: string;
  readonly consumer: string;
  readonly deliveries: number;
  readonly streamSeq: number;
  readonly consumerSeq: number;
}

export type AckVerb =
  | { readonly is: 'ack' }
  | { readonly is: 'next'; readonly request: Uint8Array }
  | { readonly is: 'nak'; readonly delayMs: number | undefined }
  | { readonly is: 'progress' }
  | { readonly is: 'terminate'; readonly reason: string };

const decoder = new TextDecoder();

function numberOf(token: string | undefined): number {
  return token !== undefined && /^\d{1,16}$/.test(token) ? Number(token) : 0;
}

/** What an ack subject says, or undefined when it is none. */
export function parseAckSubject(subject: string): AckSubject | undefined {
  const tokens = subject.split('.');
  const at = tokens.length >= 11 ? 4 : tokens.length === 9 ? 2 : -1;
  const stream = tokens[at];
  const consumer = tokens[at + 1];
  if (at < 0 || stream === undefined || consumer === undefined) return undefined;
  return {
    stream,
    consumer,
    deliveries: numberOf(tokens[at + 2]),
    streamSeq: numberOf(tokens[at + 3]),
    consumerSeq: numberOf(tokens[at + 4]),
  };
}

const ack: AckVerb = { is: 'ack' };

/** What an ack payload asks; undefined for one that means nothing. */
export function parseAckVerb(payload: Uint8Array): AckVerb | undefined {
  if (payload.length === 0) return ack;
  const text = decoder.decode(payload);
  if (text === '+ACK' || text === '+OK') return ack;
  if (text.startsWith('+NXT')) return { is: 'next', request: payload.subarray(4) };
  if (text.startsWith('-NAK')) return { is: 'nak', delayMs: nakDelay(text.slice(4).trim()) };
  if (text === '+WPI') return { is: 'progress' };
  if (text.startsWith('+TERM')) return { is: 'terminate', reason: text.slice(5).trim() };
  return undefined;
}

function nakDelay(argument: string): number | undefined {
  if (argument === '') return undefined;
  if (!argument.startsWith('{')) {
    const nanos = parseDuration(argument);
    return nanos === undefined ? undefined : Number(nanos) / 1e6;
  }
  try {
    const given: unknown = JSON.parse(argument);
    const delay = typeof given === 'object' && given !== null && 'delay' in given ? given.delay : undefined;
    return typeof delay === 'number' ? delay / 1e6 : undefined;
  } catch {
    return undefined;
  }
}
