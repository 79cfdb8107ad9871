// What `-V` shows of clients' operations and deliveries, as lines of the log.

import { inboundTrace, outboundTrace } from '../core/protocol/trace.ts';
import type { TraceOptions } from '../core/protocol/trace.ts';
import type { TraceEvents } from '../engine/broker/kernel-events.ts';
import type { Server } from '../engine/server/server.ts';
import type { Log } from '../ports/log.ts';

/** Traces the server's connections from now on, by the options in force at each line. */
export function traceToLog(server: Server, log: Log): void {
  const options = (): TraceOptions => ({
    maxLength: server.options.maxTracedMsgLen,
    headersOnly: server.options.traceHeaders,
  });
  const events: TraceEvents = {
    inbound: (label, operation) => {
      for (const line of inboundTrace(operation, options())) log.trace(`${label} - ${line}`);
    },
    outbound: (label, text, payload, headerLength) => {
      for (const line of outboundTrace(text, payload, headerLength, options())) log.trace(`${label} - ${line}`);
    },
  };
  server.traceTo(events);
}
