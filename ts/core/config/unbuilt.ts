// Keys whose feature is not built yet. The server starts with them and says so once.

/** What the log says once about a key whose feature is still to come; `feature` may have the blocks around it in front. */
export function pendingText(feature: string): string {
  return `"${feature}" is known, but what it configures is not built yet: it has no effect`;
}
