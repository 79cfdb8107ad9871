// The flags about clusters that depend on each other: the address to listen on and the routes to solicit.
// Kept true: routes are accepted only where the cluster listens.

import type { FlagValues } from './flag-table.ts';
import { clusterOf } from './flag-table.ts';
import { isPeerUrl } from '../config/keys/peers.ts';
import { splitHostPort } from '../config/value-types.ts';
import type { Options } from '../config/options.ts';

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What is wrong with `scheme://user:pass@host:port`, after filling the block from it. */
function applyListen(options: Options, url: string): string | undefined {
  const match = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/(?:([^@/]*)@)?([^@/]*)\/?$/.exec(url);
  if (match === null) return `cluster listen "${url}" must be a URL like nats://user:pass@host:port`;
  const address = splitHostPort(match[2] ?? '');
  if (address === undefined || !/^-?\d+$/.test(address.port)) return `cluster listen "${url}": missing port in address`;
  const cluster = clusterOf(options);
  cluster.host = address.host;
  cluster.port = Number(address.port);
  if (match[1] !== undefined) {
    const [user = '', ...pass] = match[1].split(':');
    cluster.user = decoded(user);
    cluster.pass = decoded(pass.join(':'));
  }
  return undefined;
}

export function applyClusterFlags(options: Options, values: FlagValues): string | undefined {
  const listen = values.get('cluster');
  if (typeof listen === 'string' && listen !== '') {
    const wrong = applyListen(options, listen);
    if (wrong !== undefined) return wrong;
  }
  const routes = values.get('routes');
  if (typeof routes !== 'string' || routes === '') return undefined;
  if (options.cluster === undefined || options.cluster.port === 0) {
    return 'solicited routes require cluster capabilities, e.g. --cluster';
  }
  const urls = routes.split(',').map((url) => url.trim());
  const broken = urls.find((url) => !isPeerUrl(url));
  if (broken !== undefined) return `error parsing route url ["${broken}"]`;
  clusterOf(options).routes = urls.filter((url) => url !== '');
  return undefined;
}
