// Whether an answer of a responder is current: not run out and not of the future, allowing for clocks that differ.

import { formatDuration } from '../config/duration.ts';
import { formatInstant, instantOfMs, zeroInstant } from '../jetstream/instant.ts';
import type { OcspAnswer } from './answer.ts';

/** The part of the options that says so. */
export interface CurrencyRules {
  readonly allowedClockSkewMs: number;
  readonly cacheTtlWhenNextUpdateUnsetMs: number;
}

/** RFC 3339; the year 1 where there is no time. */
export function timeText(ms: number | undefined): string {
  return formatInstant(ms === undefined ? zeroInstant : instantOfMs(ms));
}

/** Undefined when it is current, else the line that says why it is not. */
export function whyNotCurrent(answer: OcspAnswer, rules: CurrencyRules, nowMs: number): string | undefined {
  const { thisUpdateMs, nextUpdateMs } = answer;
  const { allowedClockSkewMs: skewMs, cacheTtlWhenNextUpdateUnsetMs: ttlMs } = rules;
  const now = `now [${timeText(nowMs)}] with clockskew [${formatDuration(skewMs)}]`;
  if (nextUpdateMs === undefined) {
    const endMs = thisUpdateMs + ttlMs;
    if (endMs < nowMs - skewMs) return `OCSP response cache expiry [${timeText(endMs)}] is before ${now}`;
  } else if (nextUpdateMs < nowMs - skewMs) return `OCSP response NextUpdate [${timeText(nextUpdateMs)}] is before ${now}`;
  if (thisUpdateMs > nowMs + skewMs) return `OCSP response ThisUpdate [${timeText(thisUpdateMs)}] is before ${now}`;
  return undefined;
}
