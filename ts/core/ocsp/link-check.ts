// Is a link of a peer's chain good? What is decided at each step of it: about the answer that was kept, about the one that was fetched when none
// was, and about the status it gives. Whoever drives this keeps, forgets and fetches as it is told, and prints the lines.
// Kept true: a link is good only for an answer that is current, or because the policy says that what could not be learnt does not matter.

import type { CertificateStatus, LogLine, OcspAnswer, ReadAnswer } from './answer.ts';
import { whyNotCurrent } from './currency.ts';
import type { CurrencyRules } from './currency.ts';

/** The options `ocsp_peer` that decide; all but `verify` and the time a responder has. */
export interface LinkPolicy extends CurrencyRules {
  readonly warnOnly: boolean;
  readonly unknownIsGood: boolean;
  readonly allowWhenCaUnreachable: boolean;
}

export interface LinkSubject {
  readonly subject: string;
  readonly fingerprint: string;
}

export type LinkVerdict = { readonly good: true } | { readonly good: false; readonly reason: string };

export interface KeptJudgement {
  /** To be used; undefined: the responder must be asked. */
  readonly answer: OcspAnswer | undefined;
  /** What is kept is of no use any more. */
  readonly forget: boolean;
  /** The certificate was revoked the last time, which counts while the responder cannot be reached. */
  readonly wasRevoked: boolean;
  readonly lines: readonly LogLine[];
}

export type FetchedJudgement =
  | { readonly answer: OcspAnswer; readonly lines: readonly LogLine[] }
  | { readonly answer: undefined; readonly verdict: LinkVerdict; readonly lines: readonly LogLine[] };

/** What came of asking. */
export type Fetched = ReadAnswer | { readonly kind: 'failed'; readonly why: string };

const good: LinkVerdict = { good: true };

function line(level: LogLine['level'], text: string): LogLine {
  return { level, text };
}

/** The answer kept from before; `read` is undefined when there is none. */
export function judgeKept(of: LinkSubject, read: ReadAnswer | undefined, rules: CurrencyRules, nowMs: number): KeptJudgement {
  if (read === undefined) return { answer: undefined, forget: false, wasRevoked: false, lines: [] };
  if (read.kind !== 'answer') {
    const text = `Invalid cached OCSP response for [${of.subject}] with fingerprint [${of.fingerprint}]`;
    return { answer: undefined, forget: true, wasRevoked: false, lines: [line('debug', text)] };
  }
  const { answer } = read;
  const stale = whyNotCurrent(answer, rules, nowMs);
  const state = line(
    'debug',
    `Cached OCSP response is ${stale === undefined ? 'current' : 'expired'}, status [${answer.status}]`,
  );
  return {
    answer: stale === undefined ? answer : undefined,
    forget: stale !== undefined,
    wasRevoked: answer.status === 'revoked',
    lines: stale === undefined ? [state] : [line('debug', stale), state],
  };
}

function overridden({ subject }: LinkSubject): LogLine {
  return line('warn', `OCSP verify fail for [${subject}] but WarnOnly is true so allowing`);
}

/** Why an answer, or that there was none, does not count. */
function notUsable(
  of: LinkSubject,
  policy: LinkPolicy,
  reason: string,
  lines: readonly LogLine[],
): FetchedJudgement & { answer: undefined } {
  if (!policy.warnOnly) return { answer: undefined, verdict: { good: false, reason }, lines };
  return { answer: undefined, verdict: good, lines: [...lines, overridden(of)] };
}

function unreachable(of: LinkSubject, why: string, policy: LinkPolicy, wasRevoked: boolean): FetchedJudgement {
  const failed = line('warn', `Attempt to obtain OCSP response from CA responder for [${of.subject}] failed: ${why}`);
  const reason = 'Failed OCSP response fetch';
  if (policy.warnOnly || !policy.allowWhenCaUnreachable) return notUsable(of, policy, reason, [failed]);
  const allowed = `Failed to obtain OCSP CA response for [${of.subject}] but AllowWhenCAUnreachable set; `;
  const what = wasRevoked ? 'cached revocation exists so rejecting' : 'no cached revocation so allowing';
  const verdict: LinkVerdict = wasRevoked ? { good: false, reason } : good;
  return { answer: undefined, verdict, lines: [failed, line('warn', allowed + what)] };
}

/** The answer of a responder; one that is given back is to be kept, and its status judged. */
export function judgeFetched(
  of: LinkSubject,
  fetched: Fetched,
  policy: LinkPolicy,
  nowMs: number,
  wasRevoked: boolean,
): FetchedJudgement {
  const { subject } = of;
  switch (fetched.kind) {
    case 'failed':
      return unreachable(of, fetched.why, policy, wasRevoked);
    case 'unreadable': {
      const text = `Could not parse OCSP CA response for [${subject}]: ${fetched.why}`;
      return notUsable(of, policy, 'Failed OCSP response parse', [line('error', text)]);
    }
    case 'delegation': {
      const reason = `Invalid OCSP response delegation: ${subject}`;
      return notUsable(of, policy, reason, [line('warn', reason)]);
    }
    case 'answer': {
      const stale = whyNotCurrent(fetched.answer, policy, nowMs);
      if (stale === undefined) return { answer: fetched.answer, lines: [] };
      const text = `New OCSP CA response obtained for [${subject}] but not current`;
      return notUsable(of, policy, 'OCSP response not in effectivity window', [line('debug', stale), line('warn', text)]);
    }
  }
}

/** The status that a current answer gives. */
export function judgeStatus(
  of: LinkSubject,
  status: CertificateStatus,
  policy: LinkPolicy,
): { readonly verdict: LinkVerdict; readonly lines: readonly LogLine[] } {
  const { subject } = of;
  if (status === 'good' || (status === 'unknown' && policy.unknownIsGood)) {
    return { verdict: good, lines: [line('debug', `OCSP verify pass for [${subject}]`)] };
  }
  const fail = line('warn', `OCSP verify fail for [${subject}] with CA status [${status}]`);
  return notUsable(of, policy, `Invalid OCSP response status: ${status}`, [fail]);
}
