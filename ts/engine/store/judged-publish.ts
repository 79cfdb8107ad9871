// A publish that the kernel hands over, in the store's own words.

import { judgeCode, type KernelPublish } from '../../kernel/streams.ts';
import type { JudgedPublish, JudgeReason } from './store.ts';

const reasons: Readonly<Record<number, JudgeReason>> = {
  [judgeCode.headers]: 'headers',
  [judgeCode.sealed]: 'sealed',
  [judgeCode.size]: 'message-size',
  [judgeCode.messages]: 'max-messages',
  [judgeCode.bytes]: 'max-bytes',
  [judgeCode.perSubject]: 'max-per-subject',
  [judgeCode.fault]: 'fault',
  [judgeCode.room]: 'room',
  [judgeCode.memory]: 'memory',
};

/** A publish that the kernel handed over, with its reason by name. */
export function judgedPublish({ reason, subject, reply, headers, payload }: KernelPublish): JudgedPublish {
  return { reason: reasons[reason] ?? 'fault', subject, reply, headers, payload };
}
