/**
 * What a server is told and who watches it: the limits and users the oracle's broker goes by, and the witness it asks
 * where a server may choose.
 */
import type { Permissions } from './permissions.ts';

export interface Identity {
  readonly account: string;
  readonly permissions: Permissions | null;
}

export interface Rules {
  readonly maxControlLine: number;
  readonly maxPayload: number;
  /** 0 for no limit. */
  readonly maxSubscriptions: number;
  readonly maxSubjectTokens: number;
  /**
   * As Slipstream reads the same protocol: a wide subscription never hears more than the allow list holds, and the
   * complaint about a publish subject comes with the payload and not with the line in front of it, sizes are printed
   * without the sender's leading zeros, and errors show bytes that are no UTF-8 as replacement characters.
   */
  readonly slipstream: boolean;
  /** Who may come in by user name and password; null where nobody needs to say who they are. */
  readonly users: ReadonlyMap<string, Identity & { readonly password: string }> | null;
}

export const openRules: Rules = {
  maxControlLine: 4096,
  maxPayload: 1048576,
  maxSubscriptions: 0,
  maxSubjectTokens: 0,
  slipstream: false,
  users: null,
};

export interface Frame {
  readonly conn: number;
  readonly text: string;
}

export interface Witness {
  /** This text is what the connection gets next. */
  said(conn: number, text: string): void;
  /** Every frame of `all` and one of each group reach their connections next; answers which of each group. */
  delivered(all: readonly Frame[], groups: readonly (readonly Frame[])[]): readonly number[];
  /** Nothing comes after what was said so far. */
  closed(conn: number): void;
}
