// The files of a resolver's directory: one JWT a file, named by the account's key.

export interface TokenFiles {
  readonly directory: string;
  /** Keys of all files, sorted. */
  keys(): string[];
  /** Undefined when there is none. Throws when it cannot be read. */
  read(key: string): string | undefined;
  /** The file is there whole or as it was before, also after a power failure. */
  write(key: string, jwt: string): void;
  remove(key: string): void;
  /** Leaves the content under a name that is no JWT's. */
  setAside(key: string): void;
}
