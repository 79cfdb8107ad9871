// The flags of unfinished features that this version knows, under nats-server's names, and as they are when nobody sets them.
// Kept true: flags that are not known are told at the start and shown nowhere else.

const featureFlagDefaults = {
  /** Replies of consumers name domain and account. They are understood here always, and never sent. */
  js_ack_fc_v2: false,
  /** About replicas: how deleted messages are proposed to them. */
  js_raft_delete_range: false,
} as const;

export type FeatureFlag = keyof typeof featureFlagDefaults;

export function isFeatureFlag(name: string): name is FeatureFlag {
  return Object.hasOwn(featureFlagDefaults, name);
}

/** All known flags, with what the configuration says. */
export function featureFlagsOf(configured: Readonly<Record<string, boolean>>): Record<string, boolean> {
  return { ...featureFlagDefaults, ...Object.fromEntries(Object.entries(configured).filter(([name]) => isFeatureFlag(name))) };
}

/** What a setting amounts to. */
export function flagText(name: FeatureFlag, on: boolean): string {
  if (featureFlagDefaults[name]) return on ? 'enabled' : 'opt-out';
  return on ? 'opt-in' : 'disabled';
}
