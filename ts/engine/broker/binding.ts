// The kernel's flags for what a session grants a connection.

import { flag } from '../../kernel/constants.ts';
import type { BindSpec } from '../session/session.ts';

/** `before`: the flags the connection has, since whether PINGs are reported is not the session's to change here. */
export function bindFlags(spec: BindSpec, before: number, traced: boolean): number {
  let flags = before & flag.reportPing;
  if (!spec.authorized) flags |= flag.unauthenticated;
  if (spec.verbose) flags |= flag.verbose;
  if (spec.pedantic) flags |= flag.pedantic;
  if (!spec.echo) flags |= flag.noEcho;
  flags |= spec.headers ? flag.headers : flag.headersOff;
  if (spec.noResponders) flags |= flag.noResponders;
  if (spec.judgeSubscribes || spec.maxSubTokens > 0) flags |= flag.judgeSubscribe;
  if (spec.isSystem) flags |= flag.system;
  if (traced) flags |= flag.trace;
  return flags;
}
