// Names of streams and consumers: one token of a subject that can also be a directory.

export const maxNameLength = 255;

export function isAssetName(name: string): boolean {
  return name !== '' && !/[ \t\r\n\f.*>\\/]/.test(name);
}
