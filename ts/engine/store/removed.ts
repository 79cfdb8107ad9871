// Where goes what is being removed, until it is. A crash may leave it there: it is nothing that anyone opens, and goes at the next start.

/** Of streams, beside them, and of the journal's logs. nats-server removes what has a dot in front among streams. */
export const removedName = '.removed';

/** Of the blocks in a directory, beside it. nats-server removes it when it opens the stream. */
export function purgedPath(blocks: string): string {
  return `${blocks.slice(0, blocks.lastIndexOf('/'))}/__msgs__`;
}
