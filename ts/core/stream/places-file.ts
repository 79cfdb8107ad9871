// How far a stream's sources were, beside its blocks: the memory of those whose messages are all gone, since messages remember it in their
// headers. A file of our own; nats-server reads over it. JSON: `{"version":1,"places":{"<hash of the source>":<origin's sequence>}}`.
// Kept true: what cannot be read is as good as nothing.

export const placesFileName = 'sources.json';

const version = 1;

export function encodePlaces(places: ReadonlyMap<string, number>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ version, places: Object.fromEntries(places) }));
}

export function decodePlaces(content: Uint8Array): Map<string, number> {
  const found = new Map<string, number>();
  let file: { version?: unknown; places?: unknown } | null;
  try {
    file = JSON.parse(new TextDecoder().decode(content)) as typeof file;
  } catch {
    return found;
  }
  if (file?.version !== version || typeof file.places !== 'object' || file.places === null) return found;
  for (const [source, seq] of Object.entries(file.places))
    if (Number.isSafeInteger(seq) && seq > 0) found.set(source, seq as number);
  return found;
}
