// Names of streams and consumers: one token of a subject that can also be a directory.

export const maxNameLength = 255;

/** Whether a stream or a consumer may be called so, its length aside. */
export function isAssetName(name: string): boolean {
  return name !== '' && !/[ \t\r\n\f.*>\\/]/.test(name);
}
