// Keys that make a server stricter, whose feature is not built yet. Others of that kind are only noted in the log; a server that let
// everybody in, or stored in plain what was to be encrypted, would do harm. It does not start.
// Kept true: when one of these features is built, its line here goes.

import { allUsers } from './options.ts';
import type { Options } from './options.ts';

interface Unbuilt {
  readonly keys: string;
  asked(options: Options): boolean;
}

const UNBUILT: readonly Unbuilt[] = [
  { keys: 'operator and trusted_keys', asked: ({ operators, trustedKeys }) => operators.length > 0 || trustedKeys.length > 0 },
  { keys: 'auth_callout', asked: ({ authorization }) => authorization.authCallout !== undefined },
  {
    keys: 'proxy_required',
    asked: (options) => options.authorization.proxyRequired || allUsers(options).some((user) => user.proxyRequired),
  },
  { keys: 'ocsp_peer', asked: (options) => options.tls?.ocspPeer?.verify === true },
];

/** One line for each protection that was asked for and cannot be given. */
export function missingProtections(options: Options): string[] {
  return UNBUILT.filter((one) => one.asked(options)).map(
    ({ keys }) => `${keys} cannot be honoured yet, and the server does not start without that protection`,
  );
}
