// What a reload does, as data: one change for each option that differs, or the reason why it may not.
// Kept true: no secret is ever part of a change's line.

import { formatDuration } from '../config/duration.ts';

/** The part of the server that has to act. */
export type ReloadAction =
  | 'log'
  | 'limits'
  | 'info'
  | 'identity'
  | 'files'
  | 'authorization'
  | 'accounts'
  | 'tls'
  | 'jetstream'
  | 'cluster'
  | 'gateway'
  | 'leafnodes'
  | 'websocket'
  | 'mqtt'
  | 'reports'
  | 'trust'
  | 'profile';

export interface ReloadChange {
  /** The key, with those of the blocks around it: `cluster.routes`. */
  readonly option: string;
  readonly old: unknown;
  readonly new: unknown;
  readonly action: ReloadAction;
  /** For the log, as nats-server words it. */
  readonly line: string;
}

export interface ReloadPlan {
  readonly changes: readonly ReloadChange[];
  /** Not empty: nothing may be changed at all. */
  readonly errors: readonly string[];
}

/** Collects while options are compared. */
export class PlanDraft implements ReloadPlan {
  readonly changes: ReloadChange[] = [];
  readonly errors: string[] = [];

  change(option: string, old: unknown, now: unknown, action: ReloadAction, line: string): void {
    this.changes.push({ option, old, new: now, action, line });
  }

  refuse(option: string, old: unknown, now: unknown): void {
    this.errors.push(`config reload not supported for ${option}: old=${shownValue(option, old)}, new=${shownValue(option, now)}`);
  }
}

const SECRET = /pass|token|authorization|credentials|nkey|jwt|sentinel|key$|users|accounts|remotes|routes|gateways|preload/i;
const DURATION = /interval|deadline|duration|period|timeout|wait|threshold|window/;

/** A value as a log line shows it; texts and lists that may hold a secret are not shown. */
export function shownValue(option: string, value: unknown): string {
  if (value === undefined || value === '') return '';
  if (typeof value === 'number') return DURATION.test(option) ? formatDuration(value) : String(value);
  if (typeof value === 'boolean') return String(value);
  if (SECRET.test(option)) return '[REDACTED]';
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Bytes with two digits, in powers of 1024. */
export function shownBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(2)} ${units[unit] ?? ''}`;
}
