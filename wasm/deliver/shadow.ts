// Shadows: a subscription whose account imports a stream of another account has a shadow in that account, on the imported
// subject. What reaches the shadow is handed to the subscription with the subject it has in its own account. A shadow belongs to
// the queue group of its subscription's name there, and ends with its subscription.
//
//   a Sub of KIND_SHADOW, with a Shadow where a client's sid is

import { accountAt, queueNameBytes, queueNameLength } from './account';
import { Group, KIND_SHADOW, SUB_SIZE, Sub, addSub, removeSub } from './subscription';

/** What a shadow keeps behind its Sub. */
@unmanaged
class Shadow {
  /** The subscription it stands for. */
  parent: usize;
  /** The next shadow of the same subscription. */
  next: usize;
  /** How the subject changes, 0: not at all. */
  mapping: usize;
}

const SHADOW_SIZE: u32 = 12;
const blank: usize = memory.data(12, 4);

/** What a subscription of KIND_SHADOW keeps. */
// @ts-ignore: decorator
@inline
export function shadowOf(sub: Sub): Shadow {
  return changetype<Shadow>(changetype<usize>(sub) + SUB_SIZE);
}

/** Gives a subscription a shadow on `subject` of another account. */
export function addShadow(parent: Sub, account: usize, subject: usize, length: u32, mapping: usize): void {
  const name: usize = parent.group ? changetype<Group>(parent.group).name : 0;
  const queue: usize = name ? queueNameBytes(name) : 0;
  const sub = addSub(account, 0, subject, length, queue, name ? queueNameLength(name) : 0, blank, SHADOW_SIZE);
  sub.kind = KIND_SHADOW;
  const shadow = shadowOf(sub);
  shadow.parent = changetype<usize>(parent);
  shadow.next = parent.shadows;
  shadow.mapping = mapping;
  parent.shadows = changetype<usize>(sub);
  accountAt(account).crossings++;
}

/** Ends all shadows of a subscription. Not while a message is being routed. */
export function dropShadows(parent: Sub): void {
  let sub = parent.shadows;
  parent.shadows = 0;
  while (sub) {
    const next = shadowOf(changetype<Sub>(sub)).next;
    removeSub(changetype<Sub>(sub));
    sub = next;
  }
}
