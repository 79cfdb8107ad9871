// The headers of a message that ask for its way to be told: `Nats-Trace-Dest` names where to; `traceparent`, in any case, asks for it where the
// account says where to, when its last flag is set.

import { isSampledParent } from '../account/sampling.ts';

export const TRACE_DESTINATION = 'Nats-Trace-Dest';
/** No subject: the way of a message with this destination is not told any more. */
export const TRACE_DISABLED = 'trace disabled';

export type TraceHeaders = ReadonlyMap<string, readonly string[]>;

export interface TraceRequest {
  /** Names as they were written, without those that have no value. */
  readonly headers: TraceHeaders;
  /** Undefined: a tracing system asks. */
  readonly destination: string | undefined;
  readonly only: boolean;
  /** The message comes from a server whose traces are not understood any more. */
  readonly outdated: string | undefined;
}

const decoder = new TextDecoder();
const yes: ReadonlySet<string> = new Set(['1', 'true', 'on']);

function headersOf(block: Uint8Array): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  const [, ...lines] = decoder.decode(block).split('\r\n');
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 0) break;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    if (name === '' || value === '') continue;
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return headers;
}

/** Undefined: nothing is asked for. */
export function traceRequest(block: Uint8Array): TraceRequest | undefined {
  const headers = headersOf(block);
  const destinations = headers.get(TRACE_DESTINATION) ?? [];
  if (destinations.includes(TRACE_DISABLED)) return undefined;
  const [destination] = destinations;
  const asked = [...headers].some(([name, values]) => name.toLowerCase() === 'traceparent' && values.some(isSampledParent));
  if (destination === undefined && !asked) return undefined;
  const only = destination !== undefined && yes.has((headers.get('Nats-Trace-Only')?.[0] ?? '').toLowerCase());
  return { headers, destination, only, outdated: headers.get('Nats-Trace-Origin-Account')?.[0] };
}
