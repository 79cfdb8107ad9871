// The kernel's side of accounts: one subject space a name, opened when first asked for, and its mappings.

import type { Kernel } from '../../kernel/kernel.ts';

/** What the mappings of an account do: see core/subject. `undefined`: the message is dropped. */
export interface SubjectMapper {
  /** The subjects that are mapped, wildcards among them. */
  readonly sources: readonly string[];
  map(subject: string): string | undefined;
}

export interface KernelAccount {
  readonly name: string;
  /** The number the kernel reports in events. */
  readonly id: number;
  /** The kernel's handle. */
  readonly handle: number;
  mapper: SubjectMapper | undefined;
  mappingSet: number;
}

export class KernelAccounts {
  readonly #kernel: Kernel;
  readonly #byName = new Map<string, KernelAccount>();
  readonly #byId: KernelAccount[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get(name: string): KernelAccount {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const id = this.#byId.length;
    const account: KernelAccount = { name, id, handle: this.#kernel.openAccount(id), mapper: undefined, mappingSet: 0 };
    this.#byName.set(name, account);
    this.#byId.push(account);
    return account;
  }

  /** The account of an event. */
  byId(id: number): KernelAccount | undefined {
    return this.#byId[id];
  }

  /** The account of a kernel handle. */
  byHandle(handle: number): KernelAccount | undefined {
    return this.#byId.find((account) => account.handle === handle);
  }

  all(): readonly KernelAccount[] {
    return this.#byId;
  }

  /** Replaces an account's mappings; publishes from now on follow them. */
  setMapper(name: string, mapper: SubjectMapper | undefined): void {
    const account = this.get(name);
    if (account.mappingSet !== 0) {
      this.#kernel.exports.setMappings(account.handle, 0);
      this.#kernel.exports.closeSet(account.mappingSet);
      account.mappingSet = 0;
    }
    account.mapper = mapper;
    if (mapper === undefined || mapper.sources.length === 0) return;
    account.mappingSet = this.#kernel.openSet(mapper.sources, []);
    this.#kernel.exports.setMappings(account.handle, account.mappingSet);
  }
}
