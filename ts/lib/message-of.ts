// What was thrown, in words.

/** The message of an error; whatever else was thrown, as a text. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
