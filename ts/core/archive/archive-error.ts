// What stands against reading an archive. The text goes to whoever sent it, so it says what is wrong and carries nothing of this server.

export class ArchiveError extends Error {}
