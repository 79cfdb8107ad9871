// Where an entry of a scan has its fields: drawn in wasm/record/scan.ts.

export const scanEntry = {
  /** Of the whole entry. */
  bytes: 32,
  kind: 0,
  offset: 8,
  length: 12,
  sequence: 16,
} as const;

/** The kind of a tombstone. */
export const scannedTombstone = 1;
