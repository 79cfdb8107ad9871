// Acknowledgements: the verb in their payload. The numbers in their subject are read by the kernel.

import { parseDuration } from '../jetstream/instant.ts';

export type AckVerb =
  | { readonly is: 'ack' }
  | { readonly is: 'next'; readonly request: Uint8Array }
  | { readonly is: 'nak'; readonly delayMs: number | undefined }
  | { readonly is: 'progress' }
  | { readonly is: 'terminate'; readonly reason: string }
  /** Says nothing we know, and is confirmed all the same. */
  | { readonly is: 'unknown' };

const decoder = new TextDecoder();

const ack: AckVerb = { is: 'ack' };

export function parseAckVerb(payload: Uint8Array): AckVerb {
  if (payload.length === 0) return ack;
  const text = decoder.decode(payload);
  if (text === '+ACK' || text === '+OK') return ack;
  if (text.startsWith('+NXT')) return { is: 'next', request: payload.subarray(4) };
  if (text.startsWith('-NAK')) return { is: 'nak', delayMs: nakDelay(text.slice(4).trim()) };
  if (text === '+WPI') return { is: 'progress' };
  if (text.startsWith('+TERM')) return { is: 'terminate', reason: text.slice(5).trim() };
  return { is: 'unknown' };
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
