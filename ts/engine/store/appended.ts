// What was appended to a block, as it is offered to the journal, which may take it: then the file itself needs no sync of the round.

/** Bytes that were appended to a block. */
export interface Appended {
  readonly directory: string;
  readonly block: number;
  readonly offset: number;
  /** The last bytes in front of the offset, `BEFORE` of them. */
  readonly before: Uint8Array;
  /** As the file has them. */
  readonly views: readonly Uint8Array[];
}

/** Takes what was appended, so that the file needs no sync. False: it does. */
export type TakeAppended = (appended: Appended) => boolean;
