// Stapling: whether the status of our own certificate is shown to clients, when it is asked for again, and what the log says of it.
// Kept true: a certificate that promises a status (must-staple) is served with one unless the options forbid it.

import { formatDuration } from '../config/duration.ts';
import type { OcspOptions } from '../config/options.ts';
import { timeText } from './currency.ts';
import type { OcspAnswer } from './answer.ts';

export interface StapleRule {
  readonly staples: boolean;
  /** The server ends when the certificate is revoked, or unknown. */
  readonly endsWhenRevoked: boolean;
  /** The certificate promises what the options forbid. */
  readonly breaksPromise: boolean;
}

/** What a `mode` means for a certificate that promises a status, and for one that does not. */
const rules: Readonly<Record<OcspOptions['mode'], readonly [promised: StapleRule, other: StapleRule]>> = {
  never: [
    { staples: false, endsWhenRevoked: false, breaksPromise: true },
    { staples: false, endsWhenRevoked: false, breaksPromise: false },
  ],
  auto: [
    { staples: true, endsWhenRevoked: false, breaksPromise: false },
    { staples: false, endsWhenRevoked: false, breaksPromise: false },
  ],
  must: [
    { staples: true, endsWhenRevoked: true, breaksPromise: false },
    { staples: false, endsWhenRevoked: false, breaksPromise: false },
  ],
  always: [
    { staples: true, endsWhenRevoked: true, breaksPromise: false },
    { staples: true, endsWhenRevoked: true, breaksPromise: false },
  ],
};

export function stapleRule(mode: OcspOptions['mode'], mustStaple: boolean): StapleRule {
  return rules[mode][mustStaple ? 0 : 1];
}

const DAY_MS = 86_400_000;
const SOON_MS = 120_000;

/** Half way to the time the responder will know more; after a day where it did not say when, and soon where nothing is known. */
export function nextAskMs(answer: OcspAnswer | undefined, nowMs: number): number {
  if (answer === undefined) return SOON_MS;
  if (answer.nextUpdateMs === undefined) return DAY_MS;
  const half = (answer.nextUpdateMs - nowMs) / 2;
  return half < 0 ? SOON_MS : half;
}

/** Undefined when an answer may be shown; clocks must not differ here. */
export function whyNotShown({ nextUpdateMs, thisUpdateMs }: OcspAnswer, nowMs: number): string | undefined {
  if (nextUpdateMs !== undefined && nextUpdateMs < nowMs) {
    return `invalid ocsp NextUpdate, is past time: ${timeText(nextUpdateMs)}`;
  }
  return thisUpdateMs > nowMs ? `invalid ocsp ThisUpdate, is future time: ${timeText(thisUpdateMs)}` : undefined;
}

/** What the log says of a good status: when there will be another, and when it is asked for. */
export function goodText({ nextUpdateMs }: OcspAnswer, nextMs: number): string {
  return `good, next update ${timeText(nextUpdateMs)}, checking again in ${formatDuration(nextMs)}`;
}
