// Whether a request to a measured service is measured: by chance, as often as the export says, and else when the request says so itself in
// the headers of a tracing system (Jaeger, B3 in either form, W3C Trace Context). Those headers are told with what was measured.

import { canonicalHeaders } from '../protocol/canonical-headers.ts';

export type SamplingHeaders = ReadonlyMap<string, readonly string[]>;

const none: SamplingHeaders = new Map();

/** Those of the names that are there. */
function chosen(headers: SamplingHeaders, isChosen: (name: string) => boolean): SamplingHeaders {
  return new Map([...headers].filter(([name]) => isChosen(name)));
}

const b3Names: ReadonlySet<string> = new Set(['X-B3-Sampled', 'X-B3-Traceid', 'X-B3-Parentspanid', 'X-B3-Spanid']);

/** One or two hexadecimal digits whose last bit is set. */
function isOdd(hex: string | undefined): boolean {
  return hex !== undefined && /^[0-9a-f]{1,2}$/i.test(hex) && (parseInt(hex, 16) & 1) === 1;
}

/** `trace:span:parent:flags`. */
function jaeger(headers: SamplingHeaders, value: string): SamplingHeaders | undefined {
  const parts = value.split(':');
  if (parts.length !== 4 || !isOdd(parts[3])) return undefined;
  return chosen(headers, (name) => name === 'Uber-Trace-Id' || name.startsWith('Uberctx-'));
}

/** Denied by `0`, in place of everything or of its third part; else the recipient may choose. */
function b3(headers: SamplingHeaders, value: string): SamplingHeaders | undefined {
  const parts = value.split('-');
  const denied = parts.length > 2 ? parts[2] === '0' : parts.length === 1 && parts[0] === '0';
  return denied ? undefined : chosen(headers, (name) => name === 'B3');
}

/** `version-trace-parent-flags`. Flags are read as a signed byte, as nats-server does: those over 7f are none. */
export function isSampledParent(value: string): boolean {
  const parts = value.split('-');
  const flags = parts[3] ?? '';
  return parts.length === 4 && /^[0-7][0-9a-f]$/i.test(flags) && (parseInt(flags, 16) & 1) === 1;
}

function byHeaders(headers: SamplingHeaders): SamplingHeaders | undefined {
  const first = (name: string): string | undefined => headers.get(name)?.[0];
  const uber = first('Uber-Trace-Id');
  if (uber !== undefined) return jaeger(headers, uber);
  const sampled = first('X-B3-Sampled');
  if (sampled === '0') return undefined;
  if (sampled === '1' || first('X-B3-Traceid') !== undefined) return chosen(headers, (name) => b3Names.has(name));
  const single = first('B3');
  if (single !== undefined) return b3(headers, single);
  const parent = first('Traceparent');
  if (parent === undefined || !isSampledParent(parent)) return undefined;
  return chosen(headers, (name) => name === 'Traceparent' || name === 'Tracestate');
}

/**
 * The headers that asked for a request to be measured, none where chance did; undefined: it is not measured. `percent` 0 leaves it to the
 * headers; `chance` is a number from 0 to 99.
 */
export function sample(percent: number, block: Uint8Array, chance: () => number): SamplingHeaders | undefined {
  if (percent < 0) return undefined;
  if (percent >= 100 || (percent > 0 && chance() <= percent)) return none;
  return block.length === 0 ? undefined : byHeaders(canonicalHeaders(block));
}
