// Kernel sets of permissions, shared by all connections bound with the same Permissions object and freed with the last of them.

import { messageFilter } from '../../core/auth/permissions.ts';
import type { Permissions } from '../../core/auth/permissions.ts';
import type { Kernel } from '../../kernel/kernel.ts';

export interface PermissionSets {
  readonly publish: number;
  readonly deliver: number;
}

interface Held extends PermissionSets {
  holders: number;
}

const none: PermissionSets = { publish: 0, deliver: 0 };

export class PermissionSetPool {
  readonly #kernel: Kernel;
  readonly #held = new Map<Permissions, Held>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  hold(permissions: Permissions | undefined): PermissionSets {
    if (permissions === undefined) return none;
    const held = this.#held.get(permissions);
    if (held !== undefined) {
      held.holders++;
      return held;
    }
    const { publishAllow, publishDeny } = permissions;
    const filter = messageFilter(permissions);
    const open = (allow: readonly string[] | undefined, deny: readonly string[]) =>
      allow === undefined && deny.length === 0 ? 0 : this.#kernel.openSet(allow, deny);
    const made = { publish: open(publishAllow, publishDeny), deliver: open(filter.allow, filter.deny), holders: 1 };
    this.#held.set(permissions, made);
    return made;
  }

  drop(permissions: Permissions | undefined): void {
    const held = permissions && this.#held.get(permissions);
    if (permissions === undefined || held === undefined || --held.holders > 0) return;
    this.#held.delete(permissions);
    if (held.publish !== 0) this.#kernel.exports.closeSet(held.publish);
    if (held.deliver !== 0) this.#kernel.exports.closeSet(held.deliver);
  }
}
