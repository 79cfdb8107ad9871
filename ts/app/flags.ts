// What reading a configuration needs of this machine: files, and whether the certificates they name can be used.
// Kept true: what cannot be read is told in nats-server's words, which tools and people look for.

import { readFileSync } from 'node:fs';
import type { TlsOptions } from '../core/config/options.ts';
import { decodeOperator } from '../core/jwt/operator-claims.ts';
import type { OperatorClaims } from '../core/jwt/operator-claims.ts';
import { bareToken } from '../core/jwt/token.ts';
import { nodeTokens } from '../node/crypto.ts';
import { loadTls } from '../node/tls-context.ts';
import { messageOf } from '../lib/message-of.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
};

export function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(`${code === 'EISDIR' ? 'read' : 'open'} ${path}: ${REASONS[code] ?? message}`, { cause: error });
  }
}

/** An operator's JWT, written out or in a file. */
export function readOperator(written: string): OperatorClaims {
  let content = written;
  try {
    content = readConfigFile(written);
  } catch (error) {
    if (!written.startsWith('eyJ')) throw error;
  }
  return decodeOperator(bareToken(content), nodeTokens);
}

/** What is wrong with the files of a TLS block. One that names none is for outgoing connections. */
export function checkTls(tls: TlsOptions): string | undefined {
  if (tls.certFile === '' && tls.certs.length === 0) return undefined;
  try {
    loadTls(tls);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
