// The source of signed accounts that the options ask for, with the real network and disk behind it.

import type { Options, ResolverOptions } from '../core/config/options.ts';
import { MemorySource, NoSource, UrlSource } from '../engine/trust/account-source.ts';
import type { AccountSource } from '../engine/trust/account-source.ts';
import { TokenDirectory } from '../engine/trust/token-directory.ts';
import { nodeCrypto } from '../node/crypto.ts';
import { fetchText } from '../node/fetch.ts';
import { NodeTokenFiles } from '../node/token-files.ts';
import { loadTls } from '../node/tls-context.ts';
import type { Clock } from '../ports/clock.ts';

function urlSource({ url, timeoutMs }: ResolverOptions, { resolverTls }: Options): UrlSource {
  // It is the resolver that shows a certificate.
  const tls = resolverTls && { ...loadTls({ ...resolverTls, verify: true }).options, rejectUnauthorized: !resolverTls.insecure };
  return new UrlSource(url, (address) => fetchText(address, { timeoutMs, ...(tls && { tls }) }));
}

function directory({ type, dir, limit, ttlMs, allowDelete, hardDelete }: ResolverOptions, clock: Clock): TokenDirectory {
  const isCache = type === 'cache';
  const deletes = isCache || (allowDelete && hardDelete) ? 'hard' : allowDelete ? 'rename' : 'no';
  const ports = { files: new NodeTokenFiles(dir), clock, sha256: nodeCrypto.sha256 };
  return new TokenDirectory({ limit, evicts: isCache, ttlMs, deletes }, ports);
}

/** Throws one line when a directory cannot be had. */
export function accountSource(options: Options, clock: Clock): AccountSource {
  const { resolver } = options;
  switch (resolver?.type) {
    case 'memory':
      return new MemorySource();
    case 'url':
      return urlSource(resolver, options);
    case 'full':
    case 'cache':
      return directory(resolver, clock);
    case undefined:
      return new NoSource();
  }
}
