// The WebSocket close frame for a close reason, found by the text that the transport is given.
import { closeReasons } from './reasons.ts';

/** For a reason that is nobody's in the table. */
const UNEXPECTED = 1011;

const statusOfText: ReadonlyMap<string, number> = new Map(
  Object.values(closeReasons).map((row) => [row.text, row.webSocketStatus]),
);

export function closeStatus(text: string): { readonly code: number; readonly text: string } {
  return { code: statusOfText.get(text) ?? UNEXPECTED, text };
}
